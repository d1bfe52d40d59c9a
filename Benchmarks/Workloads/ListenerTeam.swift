import LinuxSockets
import SystemPackage

/// Tries whether the address of a plan can be listened on.
///
/// - Throws: the call that failed, and why.
public func checkAddress(_ plan: RunPlan) throws(RunError) {
    _ = try ListenerTeam(plan)
}

/// The listening sockets of a run: one, or one for each worker on the same port.
final class ListenerTeam: Sendable {
    let address: SocketAddress
    private let first: Listener
    private let others: [Box]

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
        if plan.listener == .reuseport {
            for _ in 1..<max(plan.workers, 1) { others.append(Box(try Self.listen(plan, on: address))) }
        }
        self.first = first
        self.others = others
    }

    var descriptors: [FileDescriptor] {
        [first.descriptor] + others.map { $0.listener.descriptor }
    }

    /// Ends accepts that wait in the kernel.
    func stopAccepting() {
        try? first.stopAccepting()
        for other in others { try? other.listener.stopAccepting() }
    }

    private static func listen(_ plan: RunPlan, on address: SocketAddress) throws(RunError) -> Listener {
        // Epoll's loops must not wait in accept; a ring waits by itself and would report EAGAIN instead.
        let blocking: StreamSocket.Blocking
        switch plan.mode.mechanism {
        case .epoll, .epollOneShot: blocking = .nonblocking
        case .blocking, .ringSingle, .ringMultishot: blocking = .blocking
        }
        var call = "socket"
        do throws(Errno) {
            let socket = try StreamSocket(for: address, blocking)
            call = "setsockopt"
            try setSocketOption(.reuseAddress, on: socket.descriptor)
            if plan.listener == .reuseport { try setSocketOption(.reusePort, on: socket.descriptor) }
            if plan.close == .reset { try setSocketOption(.resetOnClose, on: socket.descriptor) }
            call = "bind to \(address)"
            try socket.bind(to: address)
            call = "listen on \(address)"
            return try socket.listen(backlog: Int(Int32.max))
        } catch {
            throw RunError(call, error)
        }
    }
}
