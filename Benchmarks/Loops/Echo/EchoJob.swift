import Glibc
package import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
package import Meters
package import SystemPackage

/// What every worker of an echoing team needs to begin.
package struct EchoJob: RingJob {
    let plan: ServerPlan
    let traffic: Traffic
    let listeners: [CInt]
    let sockets: [CInt]
    let table: EchoConnections
    let open = OpenCount()
    let format: RequestFormat
    private let shared: SharedEpoll?
    package let queue: HandoffQueue?
    /// Where workers give connections back to a ring that polls them; nil without one.
    let returned: ReturnedConnections?
    package let handoff: RingHandoff?
    let stop: BorrowedDescriptor

    /// - Parameters:
    ///   - listeners: to accept from.
    ///   - connections: that were accepted beforehand.
    package init(
        _ plan: ServerPlan, _ traffic: Traffic, listeners: [CInt], connections: [CInt], stop: BorrowedDescriptor
    ) throws(RunError) {
        self.plan = plan
        self.traffic = traffic
        self.stop = stop
        self.listeners = listeners
        sockets = connections
        let needed = plan.descriptorsNeeded(for: traffic) + 256
        let capacity = max(Int(connections.max() ?? 0), openDescriptors()) + needed
        table = EchoConnections(capacity: capacity, tailBytes: traffic.longestRequestBytes, open)
        for fd in connections { table.began(fd) }
        format = RequestFormat(traffic)
        try plan.tryPoller()
        do throws(Errno) {
            let mode = plan.loop.mode.capabilities
            let isByRing = plan.loop.mode.mechanism == .ringHandoff
            handoff = isByRing ? try RingHandoff(workers: plan.workers) : nil
            queue = mode.handsOver && !isByRing ? try HandoffQueue(capacity: capacity + plan.workers) : nil
            returned = mode.pollsHoldFiles ? try ReturnedConnections() : nil
            shared =
                plan.loop.topology == .sharedSet && !mode.usesRing
                ? try SharedEpoll(listeners, sockets, plan.loop.mode, stop: stop) : nil
        } catch {
            throw RunError("epoll_create1 or epoll_ctl", error)
        }
    }

    package var openPeak: Int? { open.peak }

    package func hangUp() {
        for fd in table.open { shutdown(fd, CInt(SHUT_RDWR)) }
    }

    package func closeLeftovers() {
        for fd in table.open { close(fd) }
        for (fd, wish) in (try? returned?.take()) ?? [] where wish == .close { close(fd) }
    }

    /// Prepares what the mode waits with, passes the gate, and echoes until told to stop.
    package func run(_ member: WorkerTeam.Member) throws(Errno) {
        let own = part(of: sockets, member.index)
        let ownListeners = plan.listener == .shared ? listeners : part(of: listeners, member.index)
        if plan.loop.implementation == .c { return try runReference(own, member) }
        let mode = plan.loop.mode.capabilities
        var worker = EchoWorker(plan, traffic, member, mode.hasOwnTable ? ownTable() : table, format)
        switch plan.loop.mode.mechanism {
        case .blocking:
            member.gate.arriveAndWait()
            if traffic.arrival == .anytime { return try answerBlocking(ownListeners[0], &worker) }
            try echoBlocking(sockets[member.index], &worker)
        case .select:
            var set = try SelectSet(stop: stop.rawValue, listeners: ownListeners, connections: own)
            member.gate.arriveAndWait()
            try echoFromSelect(&set, &worker)
        case .poll:
            var set = PollSet(stop: stop.rawValue, listeners: ownListeners, connections: own, capacity: table.capacity)
            member.gate.arriveAndWait()
            try echoFromPoll(&set, &worker)
        case .epollOneShot:
            let set = try set(ownListeners, own)
            let events = EpollEventBuffer(capacity: 1)
            member.gate.arriveAndWait()
            try echoOneShot(set.epoll, events, plan.rearm, &worker)
        case .epoll:
            let set = try set(ownListeners, own)
            let events = EpollEventBuffer(capacity: 64)
            member.gate.arriveAndWait()
            try echoFromEpoll(set.epoll, events, mode, &worker)
        case .dispatcher: try runDispatched(mode.flags, member, &worker)
        case .interestSet: try runInterestSet(ownListeners, own, member, &worker)
        case .ringSingle: try runSingle(ownListeners, own, member, &worker)
        case .ringMultishot where plan.loop.mode.options.receivesParts:
            try runParted(mode.destination, ownListeners, own, member, &worker)
        case .ringMultishot: try runMultishot(mode.destination, ownListeners, own, member, &worker)
        case .ringPoll:
            var waiting = RingWaiting(plan.loop.mode.options)
            var ring = try makeRing(&waiting)
            member.gate.arriveAndWait()
            try echoFromRingPoll(&ring, waiting, listeners: ownListeners, connections: own, &worker)
        case .ringEpoll:
            let set = try set(ownListeners, own)
            let events = EpollEventBuffer(capacity: 64)
            var ring = try Ring.forThisThread(entries: 8)
            member.gate.arriveAndWait()
            try echoFromRingEpoll(&ring, set.epoll, events, mode, &worker)
        case .ringDispatcher: try runRingDispatched(member, &worker)
        case .ringHandoff: try runHandoff(member, &worker)
        case .splice, .vmsplice, .sendfile: try runUnseen(ownListeners, own, member, &worker)
        case .descriptorRing: try runDescriptorRing(ownListeners, own, member, &worker)
        case .asyncSet, .asyncRing: try runTasks(ownListeners, own, member, worker)
        }
    }

    /// The table of a worker whose connections are named by its own ring or set.
    private func ownTable() -> EchoConnections {
        let isOfSlots = plan.loop.mode.capabilities.destination == .slots
        let capacity = isOfSlots ? Int(plan.slotCount(for: traffic)) : table.capacity
        return EchoConnections(capacity: capacity, tailBytes: traffic.longestRequestBytes, open)
    }

    private func runReference(_ own: [CInt], _ member: WorkerTeam.Member) throws(Errno) {
        let mode = plan.loop.mode.capabilities
        if mode.usesRing {
            member.gate.arriveAndWait()
            return try referenceRing(own, member.meter)
        }
        let set = try set([], own)
        member.gate.arriveAndWait()
        try referenceEpoll(set.epoll, drains: mode.drains, member.meter)
    }

    private func runDispatched(
        _ flags: EpollEvents, _ member: WorkerTeam.Member, _ worker: inout EchoWorker
    ) throws(Errno) {
        guard let shared, let queue else { throw .invalidArgument }
        member.gate.arriveAndWait()
        if member.index < plan.workers { return try echoDispatched(queue, shared.epoll, flags, &worker) }
        let events = EpollEventBuffer(capacity: 64)
        try dispatch(shared.epoll, events, flags, queue, &worker)
    }

    private func runInterestSet(
        _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member, _ worker: inout EchoWorker
    ) throws(Errno) {
        var set = try InterestSet()
        let (stop, tokens) = try set.watch(stop, listeners.map { BorrowedDescriptor(rawValue: $0) })
        for fd in own {
            let token = try set.insert(give(fd), .readable)
            worker.connections.began(CInt(token.number))
        }
        member.gate.arriveAndWait()
        try echoFromInterestSet(&set, stop, tokens, &worker)
    }

    private func runDescriptorRing(
        _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member, _ worker: inout EchoWorker
    ) throws(Errno) {
        var ring = try DescriptorRing(entries: ringEntries, completions: 2 * ringEntries)
        let (stop, tokens) = try ring.watch(stop, listeners.map { BorrowedDescriptor(rawValue: $0) })
        var connections: [RingToken] = []
        for fd in own { connections.append(try ring.insert(give(fd))) }
        // A buffer holds what was received, and then the replies to it.
        var echo = DescriptorRingEcho(
            stop, format, capacity: worker.connections.capacity,
            bufferBytes: max(traffic.chunkBytes, format.replies.longest))
        member.gate.arriveAndWait()
        try echo.run(&ring, listeners: tokens, connections: connections, &worker)
    }

    private func runTasks(
        _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member, _ worker: consuming EchoWorker
    ) throws(Errno) {
        let isBusy = worker.isBusy
        let echo = AsyncEcho(worker, chunkBytes: traffic.chunkBytes)
        let (stop, gate) = (stop, member.gate)
        let listeners = listeners.map { BorrowedDescriptor(rawValue: $0) }
        let connections = own.map { AsyncEcho.OwnedConnection(Connection(owning: give($0))) }
        try plan.loop.mode.mechanism.runExecutor(ringEntries: ringEntries, isBusy: isBusy) { executor in
            Task(executorPreference: executor) {
                await echo.run(listeners: listeners, connections: connections, stop: stop, on: executor)
            }
            gate.arriveAndWait()
        }
        if let failure = echo.failure { throw failure }
    }

    /// Gives a connection to a set or ring, which closes it.
    func give(_ fd: CInt) -> OwnedDescriptor {
        table.ended(fd)
        return OwnedDescriptor(owning: FileDescriptor(rawValue: fd))
    }

    private func runSingle(
        _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member, _ worker: inout EchoWorker
    ) throws(Errno) {
        // The kernel may write into the streams' buffers until the ring is gone, so they must outlive it.
        let streams = RingStreams(format, capacity: table.capacity, chunkBytes: traffic.chunkBytes)
        try withExtendedLifetime(streams) { () throws(Errno) in
            var waiting = RingWaiting(plan.loop.mode.options)
            var ring = try makeRing(&waiting)
            member.gate.arriveAndWait()
            defer { closeUnserved(&ring) }
            try echoFromRing(&ring, waiting, listeners: listeners, connections: own, streams, &worker)
        }
    }

    /// The shared set, or one of this worker's own.
    func set(_ listeners: [CInt], _ own: [CInt]) throws(Errno) -> SharedEpoll {
        if let shared { return shared }
        return try SharedEpoll(listeners, own, plan.loop.mode, stop: stop)
    }

    /// One enter arms every connection; after that a batch is as large as what was ready.
    var ringEntries: UInt32 {
        UInt32(clamping: min(max(2 * (traffic.connections + traffic.idle), 64), 8192))
    }

    /// Every `workers`th, beginning with the worker's index.
    private func part(of all: [CInt], _ index: Int) -> [CInt] {
        stride(from: index, to: all.count, by: plan.workers).map { all[$0] }
    }
}
