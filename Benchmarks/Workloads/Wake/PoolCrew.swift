import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// What a consumer brings back.
struct ConsumerResult: Sendable {
    /// From handing over a task to its end.
    let latencies: LatencyRecorder
    /// Events of tasks that another consumer had taken.
    let staleEvents: UInt64
}

/// The producers and consumers that share one descriptor table, and their tasks.
///
/// Tasks with descriptors of their own get a table of their own too (`unshare(2)`): the rest of the program opens and
/// closes nothing in it, so a number that has become stale can only name another task's descriptor.
final class PoolCrew: Sendable {
    let board: PoolBoard
    private let plan: RunPlan
    private let wake: WakePlan
    private let meters: WorkerMeters
    private let stop: BorrowedDescriptor
    private let queues: PoolQueues?
    private let gate: StartGate
    private let opened = StartGate()
    private let state = Locked(State())

    private struct State: Sendable {
        var host: BenchThread<Void>?
        var producers: [BenchThread<ProducerCounts>] = []
        var consumers: [BenchThread<ConsumerResult>] = []
        var error: Errno?
    }

    /// Makes what the threads share.
    ///
    /// - Parameters:
    ///   - meters: counters of the consumers; crews that work one after the other share them.
    ///   - stop: readable when consumers are to end; borrowed.
    init(
        _ plan: RunPlan, _ wake: WakePlan, tasks: Int, meters: WorkerMeters, stop: BorrowedDescriptor
    ) throws(RunError) {
        self.plan = plan
        self.wake = wake
        self.meters = meters
        self.stop = stop
        gate = StartGate(calls: plan.calls)
        do throws(Errno) {
            let tableSize = wake.usesDescriptorPerTask ? try Self.tableSize(wake, tasks: tasks) : 0
            board = try PoolBoard(count: tasks, producers: wake.producers, wake.signal, tableSize: tableSize)
        } catch {
            throw RunError("eventfd", error)
        }
        guard !wake.usesDescriptorPerTask else {
            queues = nil
            return
        }
        var channels: [WakeChannel] = []
        for _ in 0..<wake.consumers { channels.append(try makeChannel(plan, wake)) }
        queues = PoolQueues(board, producers: wake.producers, channels)
    }

    /// How many numbers descriptors can have. The kernel hands out the lowest that is free, so a limit of a billion, as
    /// containers have, is not reached; what the pool opens for itself is far below 65536.
    private static func tableSize(_ wake: WakePlan, tasks: Int) throws(Errno) -> Int {
        let reachable = openDescriptors() + tasks * wake.signal.descriptorCount + 1 << 16
        return min(Int(clamping: try DescriptorLimit.current().soft), reachable)
    }

    /// Starts the threads; returns when all are ready or one failed.
    func prepare() {
        let refused = { @Sendable [self] (error: Errno) in
            fail(error)
            for _ in 0..<arrivals { gate.arriveOnly() }
        }
        let host = BenchThread<Void>("pool", processor: nil, refused: refused) { [self] () throws(Errno) in
            do throws(Errno) {
                var sets: [SharedEpoll] = []
                if wake.usesDescriptorPerTask {
                    _ = try systemCall { unshare(C_CLONE_FILES) }
                    let count = plan.topology == .sharedSet ? 1 : wake.consumers
                    for _ in 0..<count { sets.append(try SharedEpoll([], [], [], stop: stop)) }
                }
                runThreads(sets)
            } catch {
                refused(error)
                throw error
            }
        }
        state.withLock { $0.host = host }
        gate.waitForArrivals(arrivals)
        plan.calls?.watch(consumerAccounts.compactMap(\.thread))
    }

    /// The threads, and the host when it has noted them.
    private var arrivals: Int { wake.consumers + wake.producers + 1 }

    /// Called on the host, whose descriptor table the threads inherit; returns when they have ended.
    private func runThreads(_ sets: [SharedEpoll]) {
        let consumers = (0..<wake.consumers).map { index in
            BenchThread("worker-\(index)", processor: plan.placement.processor(ofWorker: index), refused: leave) {
                [self] () throws(Errno) in
                try guarded { () throws(Errno) in try consume(index, sets) }
            }
        }
        let producers = (0..<wake.producers).map { index in
            BenchThread("client-\(index)", processor: plan.placement.processor(ofClient: index), refused: leave) {
                [self] () throws(Errno) in
                try guarded { () throws(Errno) in try produce(index, sets) }
            }
        }
        state.withLock {
            $0.consumers = consumers
            $0.producers = producers
        }
        gate.arriveOnly()
        // The sets end with their last owner, which must not be a thread with another descriptor table.
        for thread in consumers { _ = thread.join() }
        for thread in producers { _ = thread.join() }
    }

    /// Runs a thread's work; if it fails, nobody is left waiting for it.
    private func guarded<Result: Sendable>(_ work: () throws(Errno) -> Result) throws(Errno) -> Result {
        do throws(Errno) {
            return try work()
        } catch {
            leave(error)
            throw error
        }
    }

    /// Leaves nobody waiting for a thread that failed.
    private func leave(_ error: Errno) {
        fail(error)
        gate.arriveOnly()
        opened.arriveOnly()
    }

    private func fail(_ error: Errno) {
        state.withLock { if $0.error == nil { $0.error = error } }
        board.over.value = 1
        board.tasks.end(at: monotonicNanoseconds())
    }

    // MARK: Called by the run

    /// Lets the threads begin.
    func start() { gate.open() }

    /// Waits until all descriptors of a live pool are open.
    ///
    /// - Returns: false if the user wants to stop.
    func waitUntilOpened(_ interruption: Interruption) -> Bool {
        while !opened.waitForArrivals(wake.producers, seconds: 0.1) {
            if interruption.isRequested { return false }
        }
        return true
    }

    /// Lets the producers of a live pool signal.
    func startSignalling() { opened.open() }

    /// Ends all threads and waits for them.
    func end() {
        board.over.value = 1
        gate.open()
        opened.open()
        board.throttle.wakeAll()
        for channel in queues?.channels ?? [] { channel.wakeFromOutside() }
        _ = state.withLock { $0.host }?.join()
    }

    /// The first error that ended a thread.
    var error: Errno? { state.withLock { $0.error } }

    /// What each consumer uses.
    var consumerAccounts: [ThreadAccount] { state.withLock { $0.consumers.map(\.account) } }

    /// What each producer uses.
    var producerAccounts: [ThreadAccount] { state.withLock { $0.producers.map(\.account) } }

    /// What the threads counted, once they have ended.
    func collect(into counts: inout WakeResults.PoolCounts, _ latencies: inout LatencyRecorder) {
        let threads = state.withLock { ($0.producers, $0.consumers) }
        var peak: UInt64 = 0
        for case .success(let counted) in threads.0.map({ $0.join() }) {
            counts.descriptorWaits += counted.waits
            peak = max(peak, counted.openPeak)
        }
        counts.descriptorsPeak += peak * UInt64(wake.signal.descriptorCount)
        for case .success(let result) in threads.1.map({ $0.join() }) {
            counts.staleEvents += result.staleEvents
            latencies.add(result.latencies)
        }
        board.tally(into: &counts)
    }

    // MARK: Threads

    private func produce(_ index: Int, _ sets: [SharedEpoll]) throws(Errno) -> ProducerCounts {
        let tasks = board.share(of: index, among: wake.producers)
        var count = ProducerCounts(producer: index)
        if let queues {
            if wake.signal == .messageRing {
                var ring = try Ring.forThisThread(entries: 8)
                gate.arriveAndWait(isCounted: false)
                try produceInMessages(queues, index, tasks, &ring)
            } else {
                gate.arriveAndWait(isCounted: false)
                try produceInQueues(queues, index, tasks)
            }
        } else {
            gate.arriveAndWait(isCounted: false)
            try produceDescribed(tasks, sets, &count)
        }
        return count
    }

    /// Hands tasks over by descriptors of their own: to one set, or to the sets in turn.
    private func produceDescribed(
        _ tasks: Range<Int>, _ sets: [SharedEpoll], _ count: inout ProducerCounts
    ) throws(Errno) {
        if wake.live {
            var outputs: [CInt] = []
            outputs.reserveCapacity(tasks.count)
            for (batch, set) in batches(of: tasks, sets) {
                try openAllDescriptors(board.tasks, batch, set.epoll, taskFlags, &outputs, &count)
            }
            opened.arriveAndWait()
            return try signalAllDescriptors(board.tasks, tasks, outputs)
        }
        for (batch, set) in batches(of: tasks, sets) {
            if plan.implementation == .c {
                try referenceProduce(board, batch, set.epoll, taskFlags, &count)
            } else {
                try produceDescriptors(board.tasks, batch, set.epoll, taskFlags, board.throttle, &count)
            }
        }
    }

    /// All tasks to the only set; or few enough at a time to keep every consumer busy.
    private func batches(of tasks: Range<Int>, _ sets: [SharedEpoll]) -> [(Range<Int>, SharedEpoll)] {
        guard sets.count > 1 else { return [(tasks, sets[0])] }
        let size = min(max(tasks.count / (8 * sets.count), 1), 64)
        return stride(from: tasks.lowerBound, to: tasks.upperBound, by: size).enumerated().map { index, start in
            (start..<min(start + size, tasks.upperBound), sets[index % sets.count])
        }
    }

    /// What a task's registration asks for.
    private var taskFlags: EpollEvents {
        if case .epoll(let flags, _) = plan.mode.mechanism { return flags.union(.readable) }
        return oneShotFlags
    }

    private func consume(_ index: Int, _ sets: [SharedEpoll]) throws(Errno) -> ConsumerResult {
        let meter = meters[index]
        guard let queues else {
            let events = EpollEventBuffer(capacity: 64)
            var count = ConsumerCounts()
            gate.arriveAndWait()
            if plan.implementation == .c {
                try referenceConsume(sets[index % sets.count].epoll, board, meter, &count)
            } else {
                try consumeDescriptors(
                    sets[index % sets.count].epoll, events, board.tasks, board.throttle, meter, &count)
            }
            return ConsumerResult(latencies: count.latencies.recorder, staleEvents: count.staleEvents)
        }
        var inbox = PoolInbox(queues, index, meter)
        try consumeQueued(queues.channels[index], &inbox)
        return ConsumerResult(latencies: inbox.latencies.recorder, staleEvents: 0)
    }

    /// Prepares what the mode waits with, passes the gate, and runs its loop.
    private func consumeQueued(_ channel: WakeChannel, _ inbox: inout PoolInbox) throws(Errno) {
        let drains = !wake.signal.readTakesAll
        switch plan.mode.mechanism {
        case .blocking:
            gate.arriveAndWait()
            if wake.signal == .futex { return try consumeOnFutex(channel.futexWord, &inbox) }
            try consumeInRead(channel.input, &inbox)
        case .select:
            var set = try SelectSet(stop: channel.input.rawValue, listeners: [], connections: [])
            gate.arriveAndWait()
            try consumeInSelect(&set, channel.input, &inbox)
        case .poll:
            var set = PollSet(stop: channel.input.rawValue, listeners: [], connections: [], capacity: 0)
            gate.arriveAndWait()
            try consumeInPoll(&set, channel.input, &inbox)
        case .epoll(let flags, let modeDrains):
            let epoll = try Epoll()
            let events = EpollEventBuffer(capacity: 1)
            try epoll.add(channel.input, flags.union(.readable), token: UInt64(channel.input.rawValue))
            gate.arriveAndWait()
            try consumeInEpoll(epoll, events, channel.input, drains: drains && modeDrains, &inbox)
        case .epollOneShot:
            let epoll = try Epoll()
            let events = EpollEventBuffer(capacity: 1)
            try epoll.add(channel.input, oneShotFlags, token: UInt64(channel.input.rawValue))
            gate.arriveAndWait()
            try consumeInOneShot(epoll, events, channel.input, &inbox)
        case .ringSingle:
            var ring = try Ring.forThisThread(entries: 8)
            channel.ring = ring.descriptor
            gate.arriveAndWait()
            if wake.signal == .messageRing { return try consumeInMessages(&ring, &inbox) }
            try consumeInRingRead(&ring, channel, &inbox)
        case .ringPoll:
            var ring = try Ring.forThisThread(entries: 8)
            try ring.prepareMultishotPoll(channel.input, .readable, token: messageToken)
            gate.arriveAndWait()
            try consumeInRingPoll(&ring, channel.input, drains: drains, &inbox)
        case .dispatcher, .ringMultishot: throw .notSupported
        }
    }
}
