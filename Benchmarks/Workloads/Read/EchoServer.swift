import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// The server of a read or crr run: its connections or listeners, and its workers.
final class EchoServer: Sendable {
    let address: SocketAddress
    private let plan: RunPlan
    private let listeners: ListenerTeam

    /// Listens; clients can connect from here on.
    init(_ plan: RunPlan) throws(RunError) {
        self.plan = plan
        listeners = try ListenerTeam(plan)
        address = listeners.address
    }

    /// Accepts the connections of a read run, idle ones included.
    ///
    /// - Parameters:
    ///   - failure: readable when a client gave up.
    ///   - interruption: readable when the user wants to stop.
    /// - Throws: what `accept4(2)` says; `ETIMEDOUT` if they do not come, `ECANCELED` if a client gave up, `EINTR` if the
    ///   user wants to stop. None is open then.
    func acceptAll(
        _ count: Int, unless failure: BorrowedDescriptor, or interruption: BorrowedDescriptor
    ) throws(Errno) -> [CInt] {
        var numbers: [CInt] = []
        numbers.reserveCapacity(count)
        do throws(Errno) {
            try accept(count, into: &numbers, unless: failure, or: interruption)
            return numbers
        } catch {
            for number in numbers { close(number) }
            throw error
        }
    }

    private func accept(
        _ count: Int, into numbers: inout [CInt], unless failure: BorrowedDescriptor,
        or interruption: BorrowedDescriptor
    ) throws(Errno) {
        let deadline = monotonicNanoseconds() + 30_000_000_000
        let blocking = plan.mode.usesBlockingSockets
        var entries = ([interruption, failure] + listeners.descriptors).map { descriptor in
            pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        }
        while numbers.count < count {
            guard monotonicNanoseconds() < deadline else { throw .timedOut }
            guard unsafe poll(&entries, nfds_t(entries.count), 100) > 0 else { continue }
            if entries[0].revents != 0 { throw .interrupted }
            if entries[1].revents != 0 { throw .canceled }
            for entry in entries.dropFirst(2) where entry.revents != 0 {
                let listener = BorrowedDescriptor(rawValue: entry.fd)
                guard let connection = try acceptConnection(from: listener, blocking ? [] : [.nonblocking])
                else { continue }
                try setSocketOption(.noDelay, on: connection.descriptor)
                numbers.append(connection.release().release().rawValue)
            }
        }
    }

    /// Starts the workers over these connections; they wait at the gate. The workers own the connections.
    func startWorkers(_ connections: [CInt]) throws(RunError) -> EchoTeam {
        try EchoTeam(plan, listeners, connections)
    }

    /// How often there was no listener for a processor; nil without an eBPF program.
    var steeringFallbacks: UInt64? { listeners.steeringFallbacks }

    /// Ends accepts that wait in the kernel.
    func stopAccepting() {
        listeners.stopAccepting()
    }
}

extension Mode {
    /// A ring waits by itself; on a nonblocking socket it would report `EAGAIN` instead.
    var usesBlockingSockets: Bool {
        switch mechanism {
        case .blocking, .ringSingle, .ringMultishot: true
        case .select, .poll, .epoll, .epollOneShot, .dispatcher, .ringPoll: false
        }
    }
}
