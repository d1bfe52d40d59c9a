import CSocketExtras
import Foundation
import Glibc
package import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// A connection between two hosts after the handshake: sealed messages, both ways. Any thread may send, one
/// receives.
package final class AgentChannel: Sendable {
    private let connection: Connection
    private let sending: Locked<Seal>
    private let receiving: Locked<(seal: Seal, frames: Frames)>

    /// How long the peer's kernel may take to take what is sent.
    private static let patience: UInt64 = 10_000_000_000

    /// - Parameter rest: what has arrived beyond the handshake.
    init(_ connection: consuming Connection, sends: Seal, receives: Seal, rest: [UInt8]) {
        self.connection = connection
        sending = Locked(sends)
        var frames = Frames(limit: Frames.longest + MessageAuthentication.tagBytes)
        frames.append(rest)
        receiving = Locked((receives, frames))
    }

    /// Readable when something has arrived or the connection has ended; borrowed.
    package var descriptor: BorrowedDescriptor { connection.descriptor }

    /// Ends the connection, and every wait for it.
    package func finish() { try? connection.finish() }

    /// Sends a message.
    ///
    /// - Throws: if the connection has ended or does not take it in time.
    package func send(_ message: some Encodable) throws(ProtocolError) {
        let bytes = try message.encoded()
        guard bytes.count <= Frames.longest else { throw ProtocolError("a message of \(bytes.count) bytes") }
        // Frames have to leave in the order of their seals.
        let result = sending.withLock { (seal) -> Result<Void, ProtocolError> in
            do throws(ProtocolError) {
                return .success(try write(Frames.framed(try seal.sealed(bytes))))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private func write(_ bytes: [UInt8]) throws(ProtocolError) {
        try sendAll(bytes, on: connection.descriptor, until: monotonicNanoseconds() + Self.patience)
    }

    /// Whether a whole message has arrived already, of which the descriptor says nothing.
    package var hasMessage: Bool {
        receiving.withLock { state in
            var frames = state.frames
            return (try? frames.next()) != nil
        }
    }

    /// The next message; nil if it has not come at a time on the monotonic clock.
    ///
    /// - Throws: if the connection has ended, or something else has come.
    package func receive(until deadline: UInt64) throws(ProtocolError) -> [UInt8]? {
        let result = receiving.withLock { (state) -> Result<[UInt8]?, ProtocolError> in
            do throws(ProtocolError) {
                while true {
                    if let frame = try state.frames.next() { return .success(try state.seal.opened(frame)) }
                    guard let more = try receiveSome(on: connection.descriptor, until: deadline) else {
                        return .success(nil)
                    }
                    state.frames.append(more)
                }
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// Sends all bytes, without a `SIGPIPE`.
///
/// - Parameter deadline: on the monotonic clock.
func sendAll(
    _ bytes: [UInt8], on socket: BorrowedDescriptor, until deadline: UInt64
) throws(ProtocolError) {
    var sent = 0
    while sent < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe send(
                socket.rawValue, bytes.baseAddress! + sent, bytes.count - sent,
                CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
        }
        if count > 0 {
            sent += count
        } else if errno == EAGAIN {
            guard wait(for: POLLOUT, on: socket, until: deadline) else {
                throw ProtocolError("the peer takes nothing any more")
            }
        } else if errno != EINTR {
            throw ProtocolError(lost(errno))
        }
    }
}

/// What has arrived; nil if nothing has at the deadline.
func receiveSome(on socket: BorrowedDescriptor, until deadline: UInt64) throws(ProtocolError) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe recv(socket.rawValue, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        if count > 0 { return Array(buffer.prefix(count)) }
        if count == 0 { throw ProtocolError("the connection was closed") }
        if errno == EAGAIN {
            guard wait(for: POLLIN, on: socket, until: deadline) else { return nil }
        } else if errno != EINTR {
            throw ProtocolError(lost(errno))
        }
    }
}

private func lost(_ number: CInt) -> String { "the connection was lost (\(Errno(rawValue: number)))" }

/// False if the time came first.
func wait(for events: CInt, on socket: BorrowedDescriptor, until deadline: UInt64) -> Bool {
    var entry = pollfd(fd: socket.rawValue, events: Int16(events), revents: 0)
    while true {
        let now = monotonicNanoseconds()
        let left = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
        let ready = unsafe poll(&entry, 1, CInt(clamping: left))
        if ready > 0 { return true }
        if ready == 0 && monotonicNanoseconds() >= deadline { return false }
    }
}

/// Which of the descriptors are readable, or have ended; none if the time came first.
package func readable(among descriptors: [BorrowedDescriptor], until deadline: UInt64) -> [Bool] {
    var entries = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
    while true {
        let now = monotonicNanoseconds()
        // In whole milliseconds, and the rest of the last one asleep, so that a moment is met.
        let left = deadline > now ? deadline - now : 0
        let ready = unsafe poll(&entries, nfds_t(entries.count), CInt(clamping: left / 1_000_000))
        if ready > 0 { return entries.map { $0.revents != 0 } }
        guard ready == 0, monotonicNanoseconds() + 1_000_000 > deadline else { continue }
        sleepUntil(nanoseconds: deadline)
        return entries.map { _ in false }
    }
}

/// Has the kernel end the connection when its peer cannot be reached for 12 s (`tcp(7)`), and send messages at once.
func watchPeer(of socket: BorrowedDescriptor) {
    try? setSocketOption(.noDelay, on: socket)
    func set(_ level: CInt, _ name: CInt, _ value: CInt) {
        var value = value
        _ = unsafe setsockopt(socket.rawValue, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
    }
    set(SOL_SOCKET, SO_KEEPALIVE, 1)
    set(CInt(IPPROTO_TCP), TCP_KEEPIDLE, 3)
    set(CInt(IPPROTO_TCP), TCP_KEEPINTVL, 3)
    set(CInt(IPPROTO_TCP), TCP_KEEPCNT, 3)
    set(CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, 12_000)
}
