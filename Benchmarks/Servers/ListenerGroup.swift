import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Loops
import Meters
import SystemPackage

/// The listening sockets of a run: one, or one for each worker on the same port.
final class ListenerGroup: Sendable {
    let address: SocketAddress
    private let listeners: [Box]
    private let program: ReuseportProgram?
    private let acceptOptions: AcceptOptions
    private let file: UnixSocketFile?

    private final class Box: Sendable {
        let listener: Listener
        init(_ listener: consuming Listener) { self.listener = listener }
    }

    /// Listens as the plan says.
    init(_ plan: ServerPlan, _ traffic: Traffic) throws(RunError) {
        // It goes, too, if what follows fails.
        var file: UnixSocketFile?
        let first = try Self.listen(plan, traffic, on: plan.address, number: 0, &file)
        do throws(Errno) {
            address = try first.address
        } catch {
            throw RunError("getsockname", error)
        }
        program = try Self.steer(plan, first.descriptor)
        var listeners = [Box(first)]
        if plan.listener.isPerWorker {
            for number in 1..<max(plan.workers, 1) {
                listeners.append(Box(try Self.listen(plan, traffic, on: address, number: number, &file)))
            }
        }
        self.file = file
        self.listeners = listeners
        acceptOptions = plan.loop.mode.capabilities.socketsBlock ? [] : [.nonblocking]
    }

    /// Attaches the program that picks a listener, if the plan has one.
    private static func steer(_ plan: ServerPlan, _ listener: BorrowedDescriptor) throws(RunError) -> ReuseportProgram?
    {
        if plan.listener == .reuseportIncomingProcessor, let reason = IncomingProcessorTrial.refusal {
            throw RunError(unsupported: reason)
        }
        do throws(Errno) {
            switch plan.listener {
            case .shared, .reuseport, .reuseportIncomingProcessor:
                return nil
            case .reuseportClassicBPF:
                try attachClassicReuseportProgram(to: listener)
                return nil
            case .reuseportBPF:
                let program = try ReuseportProgram.byProcessor(listeners: plan.workers)
                try program.attach(to: listener)
                return program
            }
        } catch {
            throw RunError(
                unsupported: "\(plan.listener.rawValue): \(error); loading BPF needs CAP_BPF or "
                    + "sysctl kernel.unprivileged_bpf_disabled=0")
        }
    }

    /// How often there was no listener for a processor; nil without an eBPF program.
    var steeringFallbacks: UInt64? {
        switch program {
        // A map that was created can be read.
        case let program?: try? program.fallbacks
        case nil: nil
        }
    }

    var descriptors: [BorrowedDescriptor] { listeners.map { $0.listener.descriptor } }

    /// Ends accepts that wait in the kernel.
    func stopAccepting() {
        for box in listeners { try? box.listener.stopAccepting() }
    }

    /// - Parameter number: which of the listeners it is.
    private static func listen(
        _ plan: ServerPlan, _ traffic: Traffic, on address: SocketAddress, number: Int, _ file: inout UnixSocketFile?
    ) throws(RunError) -> Listener {
        // Epoll's loops must not wait in accept; a ring waits by itself and would report EAGAIN instead.
        let blocking: StreamSocket.Blocking = plan.loop.mode.capabilities.socketsBlock ? .blocking : .nonblocking
        var call = "socket"
        do throws(Errno) {
            let socket = try StreamSocket(for: address, blocking)
            call = "setsockopt"
            try setSocketOption(.reuseAddress, on: socket.descriptor)
            for option in plan.listenerOptions(number) { try setSocketOption(option, on: socket.descriptor) }
            if traffic.close == .reset && traffic.workload == .accept {
                try setSocketOption(.resetOnClose, on: socket.descriptor)
            }
            // What it accepts inherits that: a reply must not wait for the acknowledgement of the one before.
            if traffic.workload == .read && traffic.arrival == .anytime && address.family != AF_UNIX {
                try setSocketOption(.noDelay, on: socket.descriptor)
            }
            call = "bind to \(address)"
            try socket.bind(to: address)
            file = UnixSocketFile(boundTo: address)
            call = "listen on \(address)"
            return try socket.listen(backlog: Int(Int32.max))
        } catch {
            throw RunError(call, error)
        }
    }
}

extension ServerPlan {
    /// What is set on the listener of worker `number`.
    fileprivate func listenerOptions(_ number: Int) -> [SocketOption] {
        var options: [SocketOption] = []
        if listener.isPerWorker { options.append(.reusePort) }
        if listener == .reuseportIncomingProcessor { options.append(.incomingProcessor(number)) }
        // Longer than any run waits for an answer: who says nothing is never accepted.
        if defersAccept { options.append(.deferAccept(seconds: 60)) }
        if opensFast { options.append(.fastOpen(queue: 4096)) }
        return options
    }
}

// MARK: Connections that are made beforehand

extension ListenerGroup {
    /// Accepts so many connections, within half a minute.
    ///
    /// - Parameter endings: each ends the wait when it becomes readable.
    /// - Throws: what `accept4(2)` says; `ETIMEDOUT` if they do not come. None is open then.
    /// - Returns: nil if one of `endings` became readable.
    func acceptAll(_ count: Int, unless endings: [BorrowedDescriptor]) throws(Errno) -> [CInt]? {
        var accepted: [CInt] = []
        accepted.reserveCapacity(count)
        defer {
            if accepted.count < count { for connection in accepted { close(connection) } }
        }
        let deadline = monotonicNanoseconds() + 30_000_000_000
        var entries = (endings + descriptors).map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
        while accepted.count < count {
            guard monotonicNanoseconds() < deadline else { throw .timedOut }
            guard unsafe poll(&entries, nfds_t(entries.count), 100) > 0 else { continue }
            if entries.prefix(endings.count).contains(where: { $0.revents != 0 }) { return nil }
            for entry in entries.dropFirst(endings.count) where entry.revents != 0 {
                let listener = BorrowedDescriptor(rawValue: entry.fd)
                guard let connection = try acceptConnection(from: listener, acceptOptions) else { continue }
                try setSocketOption(.noDelay, on: connection.descriptor)
                accepted.append(connection.release().release().rawValue)
            }
        }
        return accepted
    }
}
