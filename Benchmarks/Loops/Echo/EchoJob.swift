import Glibc
package import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
package import Meters
package import SystemPackage

/// What every worker of an echoing team needs to begin.
package struct EchoJob: ServerJob {
    let plan: ServerPlan
    let traffic: Traffic
    private let listeners: [CInt]
    private let sockets: [CInt]
    let table: EchoConnections
    let open = OpenCount()
    private let message: MessagePattern
    private let shared: SharedEpoll?
    package let queue: HandoffQueue?
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
        // Clients that cannot have a table of their own take as many descriptors of this one.
        let needed = plan.descriptorsNeeded(for: traffic) + traffic.connections + traffic.idle
        let capacity = max(Int(connections.max() ?? 0), openDescriptors()) + needed + 256
        table = EchoConnections(capacity: capacity, messageBytes: traffic.messageBytes, open)
        for number in connections { table.began(number) }
        message = MessagePattern(bytes: traffic.messageBytes)
        do throws(Errno) {
            let isDispatched = plan.loop.mode.mechanism == .dispatcher
            queue = isDispatched ? try HandoffQueue(capacity: capacity + plan.workers) : nil
            shared =
                plan.loop.topology == .sharedSet
                ? try SharedEpoll(listeners, sockets, Self.rules(plan).flags, stop: stop) : nil
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
    }

    private static func rules(_ plan: ServerPlan) -> EpollRules {
        switch plan.loop.mode.mechanism {
        case .epoll(let flags, let drains):
            EpollRules(flags: flags.union(.readable), drains: drains)
        case .epollOneShot: EpollRules(flags: oneShotFlags, drains: false)
        default: EpollRules(flags: dispatchedFlags, drains: false)
        }
    }

    /// Prepares what the mode waits with, passes the gate, and echoes until told to stop.
    package func run(_ member: WorkerTeam.Member) throws(Errno) {
        // Slots are numbers of one ring, so every ring has a table of its own.
        let usesSlots = plan.loop.mode.mechanism == .ringMultishot(.slots)
        let table =
            usesSlots
            ? EchoConnections(capacity: Int(plan.slotCount(for: traffic)), messageBytes: traffic.messageBytes, open)
            : table
        var worker = EchoWorker(plan, traffic, member, table, message)
        let own = part(of: sockets, member.index)
        let ownListeners = plan.listener == .shared ? listeners : part(of: listeners, member.index)
        switch plan.loop.mode.mechanism {
        case .blocking:
            member.gate.arriveAndWait()
            if traffic.workload == .crr { return try answerBlocking(ownListeners[0], &worker) }
            try echoBlocking(sockets[member.index], &worker)
        case .select:
            var set = try SelectSet(stop: stop.rawValue, listeners: ownListeners, connections: own)
            member.gate.arriveAndWait()
            try echoFromSelect(&set, &worker)
        case .poll:
            var set = PollSet(
                stop: stop.rawValue, listeners: ownListeners, connections: own, capacity: table.capacity)
            member.gate.arriveAndWait()
            try echoFromPoll(&set, &worker)
        case .epollOneShot:
            let set = try set(ownListeners, own, Self.rules(plan))
            let events = EpollEventBuffer(capacity: 1)
            member.gate.arriveAndWait()
            try echoOneShot(set.epoll, events, plan.rearm, &worker)
        case .epoll:
            let rules = Self.rules(plan)
            let set = try set(ownListeners, own, rules)
            let events = EpollEventBuffer(capacity: 64)
            member.gate.arriveAndWait()
            if plan.loop.implementation == .c {
                return try referenceEpoll(set.epoll, drains: rules.drains, member.meter)
            }
            try echoFromEpoll(set.epoll, events, rules, &worker)
        case .dispatcher:
            guard let shared, let queue else { throw .invalidArgument }
            member.gate.arriveAndWait()
            if member.index == plan.workers {
                let events = EpollEventBuffer(capacity: 64)
                try dispatch(shared.epoll, events, queue, &worker)
            } else {
                try echoDispatched(queue, shared.epoll, &worker)
            }
        case .ringSingle:
            // The kernel may write into the streams' buffers until the ring is gone, which is when this returns.
            let streams = RingStreams(capacity: table.capacity, chunkBytes: traffic.chunkBytes)
            try runSingle(ownListeners, own, streams, member, &worker)
        case .ringMultishot(let destination):
            if plan.loop.implementation == .c {
                member.gate.arriveAndWait()
                return try referenceMultishot(own, member.meter)
            }
            try runMultishot(destination, ownListeners, own, member, &worker)
        case .ringPoll:
            var ring = try makeRing()
            member.gate.arriveAndWait()
            try echoFromRingPoll(&ring, listeners: ownListeners, connections: own, &worker)
        }
    }

    private func runSingle(
        _ listeners: [CInt], _ own: [CInt], _ streams: RingStreams, _ member: WorkerTeam.Member,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        var ring = try makeRing()
        member.gate.arriveAndWait()
        defer { closeRest(&ring) }
        try echoFromRing(&ring, listeners: listeners, connections: own, streams, &worker)
    }

    private func runMultishot(
        _ destination: MultishotAccept.Destination, _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        var group = BufferGroup(
            identifier: 0, count: bufferCount(own.count), bytes: traffic.chunkBytes, headroom: traffic.messageBytes)
        var ring = try makeRing()
        try ring.register(group)
        var numbers = own
        if destination == .slots {
            try ring.registerFileSlots(count: plan.slotCount(for: traffic))
            for (slot, number) in own.enumerated() {
                try ring.registerFile(BorrowedDescriptor(rawValue: number), slot: Slot(UInt32(slot)))
                table.ended(number)
                close(number)
                worker.connections.began(CInt(slot))
            }
            numbers = own.indices.map { CInt($0) }
        }
        let streams = MultishotStreams(
            capacity: worker.connections.capacity, group, into: destination, closesAfterReply: traffic.workload == .crr)
        member.gate.arriveAndWait()
        defer { if destination == .descriptors { closeRest(&ring) } }
        try echoFromRingMultishot(&ring, &group, streams, listeners: listeners, connections: numbers, &worker)
    }

    /// The shared set, or one of this worker's own.
    private func set(_ listeners: [CInt], _ own: [CInt], _ rules: EpollRules) throws(Errno) -> SharedEpoll {
        if let shared { return shared }
        return try SharedEpoll(listeners, own, rules.flags, stop: stop)
    }

    /// Enough for every message in flight, within what a group can hold and 64 MiB.
    func bufferCount(_ connections: Int) -> Int {
        let chunks = max(1, traffic.depth * traffic.messageBytes / traffic.chunkBytes)
        let wanted = 2 * max(connections, traffic.connections) * chunks
        return max(8, min(wanted, 1 << 15, (64 << 20) / traffic.chunkBytes))
    }

    /// One enter arms every connection; after that a batch is as large as what was ready.
    var ringEntries: UInt32 {
        UInt32(clamping: min(max(2 * (traffic.connections + traffic.idle), 64), 8192))
    }

    private func makeRing() throws(Errno) -> Ring {
        var ring = try Ring.forThisThread(entries: ringEntries, completions: 2 * ringEntries)
        try ring.preparePoll(stop, .readable, token: Token(.stop).rawValue)
        return ring
    }

    /// Every `workers`th, beginning with the worker's own number.
    private func part(of all: [CInt], _ index: Int) -> [CInt] {
        stride(from: index, to: all.count, by: plan.workers).map { all[$0] }
    }
}
