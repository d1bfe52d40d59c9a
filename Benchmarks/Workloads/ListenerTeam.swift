import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// Tries whether the address of a plan can be listened on.
///
/// - Throws: the call that failed, and why.
public func checkAddress(_ plan: RunPlan) throws(RunError) {
    _ = try ListenerTeam(plan)
}

extension ListenerSharing {
    /// Why this kernel or this user cannot have it; nil if it can. Two listeners on loopback are opened to find out.
    public func unsupportedReason() -> String? {
        var plan = RunPlan(mode: Mode.all[0])
        plan.listener = self
        plan.workers = 2
        do throws(RunError) {
            _ = try ListenerTeam(plan)
            return nil
        } catch {
            return error.description
        }
    }
}

/// The listening sockets of a run: one, or one for each worker on the same port.
final class ListenerTeam: Sendable {
    let address: SocketAddress
    private let first: Listener
    private let others: [Box]
    private let program: ReuseportProgram?

    private final class Box: Sendable {
        let listener: Listener
        init(_ listener: consuming Listener) { self.listener = listener }
    }

    /// Listens as the plan says.
    init(_ plan: RunPlan) throws(RunError) {
        let first = try Self.listen(plan, on: plan.address)
        do throws(Errno) {
            address = try first.address
        } catch {
            throw RunError("getsockname", error)
        }
        var others: [Box] = []
        if plan.listener.isPerWorker {
            for _ in 1..<max(plan.workers, 1) { others.append(Box(try Self.listen(plan, on: address))) }
        }
        program = try Self.steer(plan, first.descriptor)
        self.first = first
        self.others = others
    }

    /// Attaches the program that picks a listener, if the plan has one.
    private static func steer(_ plan: RunPlan, _ listener: BorrowedDescriptor) throws(RunError) -> ReuseportProgram? {
        do throws(Errno) {
            switch plan.listener {
            case .shared, .reuseport:
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

    var descriptors: [BorrowedDescriptor] {
        [first.descriptor] + others.map { $0.listener.descriptor }
    }

    /// Ends accepts that wait in the kernel.
    func stopAccepting() {
        try? first.stopAccepting()
        for other in others { try? other.listener.stopAccepting() }
    }

    private static func listen(_ plan: RunPlan, on address: SocketAddress) throws(RunError) -> Listener {
        // Epoll's loops must not wait in accept; a ring waits by itself and would report EAGAIN instead.
        let blocking: StreamSocket.Blocking = plan.mode.usesBlockingSockets ? .blocking : .nonblocking
        var call = "socket"
        do throws(Errno) {
            let socket = try StreamSocket(for: address, blocking)
            call = "setsockopt"
            try setSocketOption(.reuseAddress, on: socket.descriptor)
            if plan.listener.isPerWorker { try setSocketOption(.reusePort, on: socket.descriptor) }
            if plan.close == .reset && plan.workload == .accept {
                try setSocketOption(.resetOnClose, on: socket.descriptor)
            }
            call = "bind to \(address)"
            try socket.bind(to: address)
            call = "listen on \(address)"
            return try socket.listen(backlog: Int(Int32.max))
        } catch {
            throw RunError(call, error)
        }
    }
}
