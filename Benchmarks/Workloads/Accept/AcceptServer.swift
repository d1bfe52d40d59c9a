import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// The server of one accept run: its listeners and its workers.
final class AcceptServer: Sendable {
    let address: SocketAddress
    let team: WorkerTeam
    private let listeners: ListenerTeam
    private let sharedSet: SharedEpoll?
    private let isBlocking: Bool
    private let queue: HandoffQueue?

    /// Listens and starts the workers; returns when all are ready, waiting at the gate.
    init(_ plan: RunPlan) throws(RunError) {
        let listeners = try ListenerTeam(plan)
        let stop = try makeSignal()
        let sharedSet = try Self.sharedSet(plan, listeners.descriptors, stop)
        let isDispatched = plan.mode.mechanism == .dispatcher
        let queue = isDispatched ? try makeQueue(capacity: plan.outstanding + plan.workers) : nil
        team = try WorkerTeam(
            count: plan.workers, dispatchers: isDispatched ? 1 : 0, plan.placement, stop: stop, calls: plan.calls
        ) { (member) throws(Errno) in
            let sharesListeners = plan.listener == .shared || sharedSet != nil
            let worker = AcceptWorker(
                plan: plan, member: member,
                listeners: sharesListeners ? listeners.descriptors : [listeners.descriptors[member.index]],
                sharedSet: sharedSet, queue: queue)
            try worker.run()
        }
        self.listeners = listeners
        self.queue = queue
        self.sharedSet = sharedSet
        address = listeners.address
        isBlocking = plan.mode.mechanism == .blocking
    }

    /// How often there was no listener for a processor; nil without an eBPF program.
    var steeringFallbacks: UInt64? { listeners.steeringFallbacks }

    /// Stops the workers; returns the first error that one of them ended with.
    func finish() -> RunError? {
        // Only threads that wait in accept4 itself need the shutdown; others would see its EINVAL.
        let error = team.finish {
            if isBlocking { listeners.stopAccepting() }
            queue?.release(team.meters.workers)
        }
        // A ring lets go of its listener some time after its end; the port is to be free for the next run at once.
        listeners.stopAccepting()
        return error
    }

    private static func sharedSet(
        _ plan: RunPlan, _ listeners: [BorrowedDescriptor], _ stop: borrowing EventFD
    ) throws(RunError) -> SharedEpoll? {
        guard plan.topology == .sharedSet else { return nil }
        let flags: EpollEvents =
            switch plan.mode.mechanism {
            case .epoll(let flags, _): flags.union(.readable)
            case .epollOneShot: oneShotFlags
            default: .readable
            }
        do throws(Errno) {
            return try SharedEpoll(listeners.map(\.rawValue), [], flags, stop: stop.descriptor)
        } catch {
            throw RunError("epoll_create1 or epoll_ctl", error)
        }
    }
}

private func makeQueue(capacity: Int) throws(RunError) -> HandoffQueue {
    do throws(Errno) {
        return try HandoffQueue(capacity: capacity)
    } catch {
        throw RunError("eventfd", error)
    }
}
