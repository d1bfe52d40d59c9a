import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
package import LinuxSockets
import Meters
import SystemPackage

/// Why a connection of this machine to itself cannot be made; nil if it can. One is made, a byte crosses it both ways,
/// and the answer comes within about a second.
///
/// - Parameter address: where to listen; its port is not used.
/// - Returns: one line with what to do about it.
package func loopbackRefusal(to address: SocketAddress = .loopback()) -> String? {
    do throws(LoopbackTrial.Failure) {
        try LoopbackTrial(deadline: Int64(monotonicNanoseconds() / 1_000_000) + 1000).run(address.withPort(0))
        return nil
    } catch {
        return "\(address.host) cannot be reached: \(error.advice(for: address))"
    }
}

/// A connection to oneself, made only to see whether it can be.
private struct LoopbackTrial {
    /// On the monotonic clock.
    let deadline: Int64

    /// The call that failed and what it said; `ETIMEDOUT` if nothing came.
    struct Failure: Error {
        let call: String
        let error: Errno
    }

    func run(_ address: SocketAddress) throws(Failure) {
        var call = "socket"
        do throws(Errno) {
            let socket = try StreamSocket(for: address, .nonblocking)
            call = "bind"
            try socket.bind(to: address)
            call = "listen"
            let listener = try socket.listen(backlog: 1)
            call = "connect"
            let target = try listener.address
            let client = try StreamSocket(for: target, .nonblocking).connect(to: target)
            try wait(for: POLLOUT, on: client.descriptor)
            if let error = try takeSocketError(of: client.descriptor) { throw error }
            call = "accept"
            try wait(for: POLLIN, on: listener.descriptor)
            guard let server = try listener.accept() else { throw Errno.timedOut }
            call = "send"
            try pass(from: client.descriptor, to: server.descriptor)
            try pass(from: server.descriptor, to: client.descriptor)
        } catch {
            throw Failure(call: call, error: error)
        }
    }

    private func pass(from sender: BorrowedDescriptor, to receiver: BorrowedDescriptor) throws(Errno) {
        var byte: UInt8 = 1
        guard unsafe send(sender.rawValue, &byte, 1, CInt(MSG_NOSIGNAL)) == 1 else { throw Errno(rawValue: errno) }
        try wait(for: POLLIN, on: receiver)
        let count = unsafe recv(receiver.rawValue, &byte, 1, 0)
        guard count == 1 else { throw count == 0 ? .connectionReset : Errno(rawValue: errno) }
    }

    private func wait(for events: CInt, on descriptor: BorrowedDescriptor) throws(Errno) {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
        while true {
            let ready = unsafe poll(&entry, 1, CInt(max(deadline - Int64(monotonicNanoseconds() / 1_000_000), 0)))
            if ready > 0 { return }
            if ready == 0 { throw .timedOut }
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
    }
}

extension LoopbackTrial.Failure {
    /// The cause, and the remedy.
    func advice(for address: SocketAddress) -> String {
        let isLocal = address.isLoopback
        if isLocal, Self.isDown(address) { return "lo is down; ip link set lo up" }
        if isLocal, call == "bind" || call == "socket" {
            let other = address.family == AF_INET6 ? "127.0.0.1" : "::1"
            return "\(call): \(error); this machine has no such address: ip address add \(address.host) dev lo, or run "
                + "with --address \(other)"
        }
        if error == .timedOut {
            return "\(call): no answer within a second; a firewall may drop it: nft list ruleset, iptables -L"
        }
        return "\(call): \(error)"
    }

    private static func isDown(_ address: SocketAddress) -> Bool {
        do throws(Errno) {
            let socket = try StreamSocket(for: address, .nonblocking)
            let isUp = c_loopback_is_up(socket.descriptor.rawValue)
            // Not closed before it has been asked.
            _ = consume socket
            return isUp == 0
        } catch {
            return false
        }
    }
}
