import Loops
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// The producers and consumers that share one descriptor table, and their tasks.
///
/// Tasks with descriptors of their own get a table of their own too (`unshare(2)`): the rest of the program opens and
/// closes nothing in it, so a descriptor that has become stale can only be another task's.
final class WorkerPool: Sendable {
    let table: TaskTable
    let work: PoolWork
    private let placement: Placement
    private let stop: BorrowedDescriptor
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
    ///   - tasks: how many of the plan's tasks this pool does.
    ///   - meters: counters of the consumers; pools that work one after the other share them.
    ///   - stop: readable when consumers are to end; borrowed.
    init(
        _ wake: WakePlan, _ mode: Mode, _ topology: Topology, _ placement: Placement, tasks: Int,
        _ meters: WorkerMeters, stop: BorrowedDescriptor
    ) throws(RunError) {
        self.placement = placement
        self.stop = stop
        do throws(Errno) {
            let descriptors = wake.usesDescriptorPerTask ? try Self.tableSize(wake, tasks: tasks) : 0
            table = try TaskTable(count: tasks, producers: wake.producers, wake.signal, descriptors: descriptors)
        } catch {
            throw RunError("eventfd", error)
        }
        var channels: [WakeChannel] = []
        let setCount = !wake.usesDescriptorPerTask ? 0 : topology == .sharedSet ? 1 : wake.consumers
        if setCount == 0 {
            for _ in 0..<wake.consumers { channels.append(try makeChannel(wake.signal, mode)) }
        }
        work = PoolWork(
            wake: wake, mode: mode, setCount: setCount,
            table: table, queues: channels.isEmpty ? nil : TaskQueues(table, producers: wake.producers, channels),
            meters: meters, begin: StartGate(calls: meters.calls))
    }

    /// How many descriptors the table can hold. The kernel hands out the lowest that is free, so a limit of a billion,
    /// as containers have, is not reached; what the pool opens for itself is far below 65536.
    private static func tableSize(_ wake: WakePlan, tasks: Int) throws(Errno) -> Int {
        let reachable = openDescriptors() + tasks * wake.signal.descriptorCount + 1 << 16
        return min(Int(clamping: try DescriptorLimit.current().soft), reachable)
    }

    /// Starts the threads; returns when all are ready or one failed.
    func prepare() {
        let arrivals = work.wake.consumers + work.wake.producers + 1
        let host = thread("pool", nil, arrivals: arrivals) { [self] () throws(Errno) in try runThreads() }
        state.withLock { $0.host = host }
        work.begin.waitForArrivals(arrivals)
        work.meters.calls?.watch(accounts.consumers.compactMap(\.thread))
    }

    /// Called on the host, whose descriptor table the threads inherit; returns when they have ended.
    private func runThreads() throws(Errno) {
        if work.setCount > 0 { _ = try systemCall { unshare(C_CLONE_FILES) } }
        let sets = try (0..<work.setCount).map { _ throws(Errno) in
            try SharedEpoll([], [], work.mode, stop: stop)
        }
        let consumers = (0..<work.wake.consumers).map { index in
            thread("worker-\(index)", placement.processor(ofWorker: index)) { [work] () throws(Errno) in
                try work.consume(index, sets)
            }
        }
        let producers = (0..<work.wake.producers).map { index in
            thread("client-\(index)", placement.processor(ofClient: index)) { [work] () throws(Errno) in
                try work.produce(index, sets)
            }
        }
        state.withLock {
            $0.consumers = consumers
            $0.producers = producers
        }
        work.begin.arriveOnly()
        // The sets must be closed by a thread of their own descriptor table.
        withExtendedLifetime(sets) {
            for thread in consumers { _ = thread.join() }
            for thread in producers { _ = thread.join() }
        }
    }

    /// Starts a thread. If it fails, all are to end, and none waits for its `arrivals` at the gates.
    private func thread<Result: Sendable>(
        _ name: String, _ processor: Int?, arrivals: Int = 1, _ body: @escaping @Sendable () throws(Errno) -> Result
    ) -> BenchThread<Result> {
        let leave = { @Sendable [self] (error: Errno) in
            state.withLock { if $0.error == nil { $0.error = error } }
            table.tasks.over.value = 1
            table.tasks.end(at: monotonicNanoseconds())
            for _ in 0..<arrivals {
                work.begin.arriveOnly()
                work.opened.arriveOnly()
            }
        }
        return BenchThread(name, processor: processor, refused: leave) { () throws(Errno) in
            do throws(Errno) {
                return try body()
            } catch {
                leave(error)
                throw error
            }
        }
    }

    /// Ends all threads and waits for them.
    func end() {
        table.tasks.over.value = 1
        work.begin.open()
        work.opened.open()
        table.throttle.wake(open: 0)
        for channel in work.queues?.channels ?? [] { channel.wakeFromOutside() }
        _ = state.withLock { $0.host }?.join()
    }

    /// The first error that ended a thread.
    var error: Errno? { state.withLock { $0.error } }

    var accounts: (consumers: [ThreadAccount], producers: [ThreadAccount]) {
        state.withLock { ($0.consumers.map(\.account), $0.producers.map(\.account)) }
    }

    /// Adds what the threads counted, once they have ended.
    func collect(into counts: inout WakeResults.PoolCounts, _ latencies: inout LatencyRecorder) {
        let (producers, consumers) = state.withLock { ($0.producers, $0.consumers) }
        var peak: UInt64 = 0
        for case .success(let counted) in producers.map({ $0.join() }) {
            counts.descriptorWaits += counted.waits
            peak = max(peak, counted.openPeak)
        }
        counts.descriptorsPeak += peak * UInt64(work.wake.signal.descriptorCount)
        for case .success(let result) in consumers.map({ $0.join() }) {
            counts.staleEvents += result.staleEvents
            latencies.add(result.latencies)
        }
        let (lost, doneTwice) = table.mistakes()
        counts.lost += lost
        counts.doneTwice += doneTwice
    }
}
