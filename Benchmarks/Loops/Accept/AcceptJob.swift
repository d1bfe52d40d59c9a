package import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
package import Meters
package import SystemPackage

/// What the workers of an accepting server need to begin.
package struct AcceptJob: RingJob {
    let plan: ServerPlan
    let traffic: Traffic
    let listeners: [BorrowedDescriptor]
    private let shared: SharedEpoll?
    let stop: BorrowedDescriptor
    package let queue: HandoffQueue?
    package let handoff: RingHandoff?

    /// - Parameters:
    ///   - listeners: one, or one for each worker; borrowed.
    ///   - stop: readable when the workers are to end; borrowed.
    package init(
        _ plan: ServerPlan, _ traffic: Traffic, listeners: [BorrowedDescriptor], stop: BorrowedDescriptor
    ) throws(RunError) {
        self.plan = plan
        self.traffic = traffic
        self.listeners = listeners
        self.stop = stop
        try plan.tryPoller()
        do throws(Errno) {
            let mode = plan.loop.mode.capabilities
            let isByRing = plan.loop.mode.mechanism == .ringHandoff
            handoff = isByRing ? try RingHandoff(workers: plan.workers) : nil
            queue =
                mode.handsOver && !isByRing
                ? try HandoffQueue(capacity: traffic.connections + plan.workers) : nil
            shared =
                plan.loop.topology == .sharedSet && !mode.usesRing
                ? try SharedEpoll(listeners.map(\.rawValue), [], plan.loop.mode, stop: stop) : nil
        } catch {
            throw RunError("epoll_create1 or epoll_ctl", error)
        }
    }

    /// Prepares what the mode waits with, passes the gate, and accepts until told to stop.
    package func run(_ member: WorkerTeam.Member) throws(Errno) {
        let meter = member.meter
        // A set that is shared holds every listener, and so does each set where there is one listener.
        let isOwn = plan.listener != .shared && shared == nil && !plan.loop.mode.capabilities.handsOver
        let listeners = isOwn ? [self.listeners[member.index]] : self.listeners
        if plan.loop.implementation == .c { return try runReference(listeners, member) }
        var service = ServiceTimeSource(plan.service, seed: plan.loop.seed &+ UInt64(member.index))
        let (waiting, spin) = (EpollWaiting(options), options.spinNanoseconds)
        var ringWaiting = RingWaiting(options)
        switch plan.loop.mode.mechanism {
        case .blocking:
            member.gate.arriveAndWait()
            try acceptBlocking(listeners[0], &service, meter)
        case .epoll:
            let set = try set(listeners)
            let events = EpollEventBuffer(capacity: 64)
            member.gate.arriveAndWait()
            try acceptFromEpoll(
                set.epoll, events, waiting, drains: plan.loop.mode.capabilities.drains, &service, meter)
        case .epollOneShot:
            let set = try set(listeners)
            let events = EpollEventBuffer(capacity: 1)
            member.gate.arriveAndWait()
            try acceptOneShot(set.epoll, events, waiting, plan.rearm, &service, meter)
        case .select:
            var set = try SelectSet(stop: stop.rawValue, listeners: listeners.map(\.rawValue), connections: [])
            member.gate.arriveAndWait()
            try acceptFromSelect(&set, spin: spin, &service, meter)
        case .poll:
            var set = PollSet(stop: stop.rawValue, listeners: listeners.map(\.rawValue), connections: [], capacity: 0)
            member.gate.arriveAndWait()
            try acceptFromPoll(&set, spin: spin, &service, meter)
        case .dispatcher: try runDispatched(member, &service)
        case .interestSet:
            var set = try InterestSet()
            let (stop, _) = try set.watch(stop, listeners)
            member.gate.arriveAndWait()
            try acceptFromInterestSet(&set, spin: spin, stop, &service, meter)
        case .ringPoll:
            var ring = try makeRing(&ringWaiting)
            member.gate.arriveAndWait()
            try acceptFromRingPoll(&ring, ringWaiting, listeners[0], &service, meter)
        case .ringEpoll: try runRingEpoll(try set(listeners), member, &service)
        case .ringDispatcher: try runRingDispatched(member, &service)
        case .ringHandoff: try runHandoff(member, &service)
        // They move bytes, and here there are none.
        case .splice, .vmsplice, .sendfile: throw .notSupported
        case .ringSingle: try runSingle(listeners[0], member, &service)
        case .ringMultishot: try runMultishot(listeners[0], member, &service)
        case .descriptorRing:
            var ring = try DescriptorRing(entries: ringEntries, completions: 2 * ringEntries)
            let (stop, listeners) = try ring.watch(stop, listeners)
            member.gate.arriveAndWait()
            try acceptFromDescriptorRing(&ring, stop, listeners[0], &service, meter)
        case .asyncSet, .asyncRing: try runTasks(listeners[0], member, service)
        }
    }

    private func runTasks(
        _ listener: BorrowedDescriptor, _ member: WorkerTeam.Member, _ service: ServiceTimeSource
    ) throws(Errno) {
        let acceptor = AsyncAcceptor(service, member.meter)
        let (stop, gate) = (stop, member.gate)
        try plan.loop.mode.mechanism.runExecutor(ringEntries: ringEntries, isBusy: service.isBusy) { executor in
            Task(executorPreference: executor) { await acceptor.run(listener, stop: stop, on: executor) }
            gate.arriveAndWait()
        }
        if let failure = acceptor.failure { throw failure }
    }

    private func runReference(_ listeners: [BorrowedDescriptor], _ member: WorkerTeam.Member) throws(Errno) {
        let mode = plan.loop.mode.capabilities
        if mode.usesRing {
            member.gate.arriveAndWait()
            return try referenceMultishot(listeners[0], member.meter)
        }
        let set = try set(listeners)
        member.gate.arriveAndWait()
        try referenceEpoll(set.epoll, drains: mode.drains, member.meter)
    }

    private func runDispatched(_ member: WorkerTeam.Member, _ service: inout ServiceTimeSource) throws(Errno) {
        guard let shared, let queue else { throw .invalidArgument }
        member.gate.arriveAndWait()
        if member.index < plan.workers { return try serveDispatched(queue, &service, member.meter) }
        let events = EpollEventBuffer(capacity: 64)
        try dispatchAccepted(shared.epoll, events, EpollWaiting(options), queue, member.meter)
    }

    private func runRingEpoll(
        _ set: SharedEpoll, _ member: WorkerTeam.Member, _ service: inout ServiceTimeSource
    ) throws(Errno) {
        let events = EpollEventBuffer(capacity: 64)
        var ring = try Ring.forThisThread(entries: 8)
        member.gate.arriveAndWait()
        try acceptFromRingEpoll(&ring, set.epoll, events, &service, member.meter)
    }

    private func runSingle(
        _ listener: BorrowedDescriptor, _ member: WorkerTeam.Member, _ service: inout ServiceTimeSource
    ) throws(Errno) {
        var waiting = RingWaiting(options)
        var ring = try makeRing(&waiting)
        member.gate.arriveAndWait()
        defer { closeUnserved(&ring) }
        try acceptRingSingle(&ring, waiting, listener, &service, member.meter)
    }

    private func runMultishot(
        _ listener: BorrowedDescriptor, _ member: WorkerTeam.Member, _ service: inout ServiceTimeSource
    ) throws(Errno) {
        let destination = plan.loop.mode.capabilities.destination
        var waiting = RingWaiting(options)
        var ring = try makeRing(&waiting)
        if destination == .slots { try ring.registerFileSlots(count: plan.slotCount(for: traffic)) }
        member.gate.arriveAndWait()
        defer { if destination == .descriptors { closeUnserved(&ring) } }
        var accept = MultishotAccept(listener: listener, into: destination, token: Token(.listener).rawValue)
        try acceptRingMultishot(&ring, waiting, &accept, &service, member.meter)
    }

    private var options: Mode.Options { plan.loop.mode.options }

    /// The shared set, or one of this worker's own with its listeners and the stop signal.
    private func set(_ listeners: [BorrowedDescriptor]) throws(Errno) -> SharedEpoll {
        if let shared { return shared }
        return try SharedEpoll(listeners.map(\.rawValue), [], plan.loop.mode, stop: stop)
    }

    /// Room for an accept and a close for each connection that can be ready at once.
    var ringEntries: UInt32 {
        UInt32(clamping: min(max(2 * traffic.connections, 64), 4096))
    }
}

/// Serves an accepted connection and closes it: the operation of the accept workload.
@inline(__always)
func serveAndClose(_ connection: consuming Connection, _ service: inout ServiceTimeSource, _ meter: WorkerMeter)
    throws(Errno)
{
    meter.began()
    meter.opened()
    service.serve(meter)
    try connection.close()
    meter.add(.systemCalls)
    meter.closed()
    meter.add(.operations)
}
