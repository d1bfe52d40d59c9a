import Loops
import LinuxDescriptors
import LinuxReadiness
import Meters
import Records
import SystemPackage

/// Carries out one pool: all tasks, from the first to the last. The measured window is the time that takes.
func measurePool(_ plan: RunPlan, _ wake: WakePlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    let meters = WorkerMeters(count: wake.consumers, calls: plan.loop.calls)
    let stop = try makeSignal()
    var pools: [WorkerPool] = []
    for tasks in try tasksPerTable(wake) {
        pools.append(
            try WorkerPool(
                wake, plan.loop.mode, plan.loop.topology, plan.loop.placement, tasks: tasks, meters,
                stop: stop.descriptor))
    }
    for pool in pools { pool.prepare() }
    func snapshot() -> Snapshot {
        Snapshot(
            { WorkerSnapshot(meters, pools.flatMap(\.accounts.consumers)) },
            clients: pools.flatMap(\.accounts.producers))
    }
    func endAll() {
        pools.forEach { $0.table.tasks.over.value = 1 }
        signal(stop.descriptor)
        pools.forEach { $0.end() }
    }

    var counts = WakeResults.PoolCounts()
    let before = snapshot()
    let start = monotonicNanoseconds()
    var firstSignal = start
    meters.setWindow(start: start, end: .max)
    let ending: Ending
    do throws(Errno) {
        if wake.live {
            ending = try runLive(pools, meters, interruption, &counts, &firstSignal)
        } else {
            pools[0].work.begin.open()
            ending = try wait(for: pools[0], meters, interruption)
        }
    } catch {
        endAll()
        throw RunError("waiting for a pool", error)
    }
    let after = snapshot()
    endAll()

    var measurement = Measurement()
    measurement.count(from: before, to: after)
    let end = pools.map { $0.table.tasks.endedAt.value }.max() ?? 0
    if end > start { measurement.durationNanoseconds = end - start }
    measurement.starvationNanoseconds = meters.starvation(windowEnd: max(end, start))
    var latencies = LatencyRecorder()
    for pool in pools { pool.collect(into: &counts, &latencies) }
    measurement.latencies = latencies.histogram
    measurement.wake.pool = counts
    if ending == .done { measurement.stallNanoseconds = longestPause(of: pools, from: firstSignal, to: end) }
    measurement.judgePool(ending, workerError: pools.compactMap(\.error).first, counts)
    if measurement.status == .ok { measurement.noteStall(plan) }
    return measurement
}

/// How a pool's tasks ended.
private enum Ending {
    /// All are done, or a thread failed.
    case done
    case interrupted
    case stuck
}

/// A pool in which nothing happens for so long has lost a task; a full machine may stop one for a while.
private let patienceNanoseconds: UInt64 = 30_000_000_000

/// Waits until a pool has done its tasks or failed.
private func wait(
    for pool: WorkerPool, _ meters: WorkerMeters, _ interruption: Interruption
) throws(Errno) -> Ending {
    func done() -> UInt64 { (0..<meters.count).reduce(0) { $0 + meters[$1][.operations] } }
    let tasks = pool.table.tasks
    let watch = try interruption.watch([tasks.finished])
    while true {
        let before = done()
        if try watch.pause(until: monotonicNanoseconds() + patienceNanoseconds) == .interrupted { return .interrupted }
        if tasks.endedAt.value != 0 { return .done }
        if done() == before { return .stuck }
    }
}

/// Opens everything, pool by pool, then does everything, pool by pool, so that no more threads work at a time than in
/// a pool that is not live.
///
/// - Parameter firstSignal: set to when the first task may be handed over.
private func runLive(
    _ pools: [WorkerPool], _ meters: WorkerMeters, _ interruption: Interruption,
    _ counts: inout WakeResults.PoolCounts, _ firstSignal: inout UInt64
) throws(Errno) -> Ending {
    let slabBefore = MemoryUse.read().slabBytes
    for pool in pools {
        pool.work.begin.open()
        repeat {
            if interruption.isRequested { return .interrupted }
        } while !pool.work.opened.waitForArrivals(pool.work.wake.producers, seconds: 0.1)
        if pool.error != nil { return .done }
    }
    let slab = MemoryUse.read().slabBytes
    let open = pools.reduce(0) { $0 + Int($1.table.throttle.open.value) } * pools[0].work.wake.signal.descriptorCount
    if open > 0 && slab > slabBefore { counts.bytesPerDescriptor = Double(slab - slabBefore) / Double(open) }
    firstSignal = monotonicNanoseconds()
    for pool in pools {
        pool.work.opened.open()
        let ending = try wait(for: pool, meters, interruption)
        if ending != .done || pool.error != nil { return ending }
    }
    return .done
}

/// How many tasks each descriptor table gets: one table, unless all descriptors are to be open at once.
private func tasksPerTable(_ wake: WakePlan) throws(RunError) -> [Int] {
    guard wake.live else { return [wake.tasks] }
    do throws(Errno) {
        let limit = Int(try DescriptorLimit.current().soft)
        // Each table starts with what is open now, and with two signals for every pool.
        let inherited = openDescriptors() + wake.consumers + 32
        var tables = 1
        while true {
            let free = (limit - inherited - tables * (1 + wake.producers)) / wake.signal.descriptorCount
            guard free > 0 else { throw Errno.tooManyOpenFiles }
            let needed = (wake.tasks + free - 1) / free
            if needed <= tables { break }
            tables = needed
        }
        return (0..<tables).map { wake.tasks * ($0 + 1) / tables - wake.tasks * $0 / tables }
    } catch {
        throw RunError(
            "--live finds no room for its tasks; raise the limit of descriptors: ulimit -Hn, LimitNOFILE= of the service",
            error)
    }
}

/// The longest pause of all consumers, in nanoseconds; nil of nothing.
private func longestPause(of pools: [WorkerPool], from start: UInt64, to end: UInt64) -> UInt64? {
    guard end > start else { return nil }
    var timeline = CompletionTimeline()
    timeline.begin(RunWindow(loadStart: start, start: start, end: end + 1, deadline: end))
    for pool in pools { pool.table.forEachEnd { timeline.note(unordered: $0) } }
    return CompletionTimeline.longestPause(of: [timeline], from: start, to: end)
}

extension Measurement {
    /// Finds what spoils a pool's run.
    fileprivate mutating func judgePool(_ ending: Ending, workerError: Errno?, _ counts: WakeResults.PoolCounts) {
        (status, reason) =
            switch (workerError, ending) {
            case (.tooManyOpenFiles?, _):
                (.failed, "no descriptor is left for even one task: the limit is too low, see ulimit -n")
            case (let error?, _): (.failed, "a thread of the pool stopped: \(error)")
            case (nil, .interrupted): (.partial, "interrupted")
            case (nil, _) where counts.lost > 0 || counts.doneTwice > 0:
                (.failed, "\(counts.lost) tasks were lost and \(counts.doneTwice) done twice")
            case (nil, .stuck): (.failed, "nothing happened for \(patienceNanoseconds / 1_000_000_000) s")
            case (nil, .done): (.ok, "")
            }
    }
}
