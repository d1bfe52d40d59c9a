import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import Records
import SystemPackage

/// Carries out one pool: all tasks, from the first to the last. The measured window is the time that takes.
///
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
func measurePool(_ plan: RunPlan, _ wake: WakePlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    let meters = WorkerMeters(count: wake.consumers, calls: plan.calls)
    let stop = try makeSignal()
    let sizes = try crewSizes(wake)
    var crews: [PoolCrew] = []
    for size in sizes {
        crews.append(try PoolCrew(plan, wake, tasks: size, meters: meters, stop: stop.descriptor))
    }
    for crew in crews { crew.prepare() }
    func snapshot() -> Snapshot {
        Snapshot(
            meters, server: crews.flatMap(\.consumerAccounts), client: crews.flatMap(\.producerAccounts))
    }

    var counts = WakeResults.PoolCounts()
    let before = snapshot()
    let start = monotonicNanoseconds()
    var firstSignal = start
    meters.setWindow(start: start, end: .max)
    let ending: Ending
    do throws(Errno) {
        if wake.live {
            ending = try runLive(crews, meters, interruption, &counts, &firstSignal)
        } else {
            crews[0].start()
            ending = try wait(for: crews[0], meters, interruption)
        }
    } catch {
        crews.forEach { $0.board.over.value = 1 }
        _ = try? stop.add()
        crews.forEach { $0.end() }
        throw RunError("waiting for a pool", error)
    }
    let after = snapshot()
    crews.forEach { $0.board.over.value = 1 }
    _ = try? stop.add()
    crews.forEach { $0.end() }

    var measurement = Measurement()
    Snapshot.difference(from: before, to: after, into: &measurement)
    let end = crews.map { $0.board.tasks.endedAt.value }.max() ?? 0
    if end > start { measurement.durationNanoseconds = end - start }
    measurement.noteServer(meters, windowEnd: max(end, start))
    var latencies = LatencyRecorder()
    for crew in crews { crew.collect(into: &counts, &latencies) }
    measurement.latencies = latencies.histogram
    measurement.wake.pool = counts
    if ending == .done { measurement.notePause(of: crews, from: firstSignal, to: end) }
    measurement.judgePool(ending, workerError: crews.compactMap(\.error).first, counts)
    if measurement.status == .ok { measurement.noteStall(plan) }
    return measurement
}

/// How a pool's tasks ended.
enum Ending {
    case done
    case interrupted
    case stuck
}

/// A pool in which nothing happens for so long has lost a task; a full machine may stop one for a while.
private let patienceNanoseconds: UInt64 = 30_000_000_000

/// Waits until a crew has done its tasks or failed.
private func wait(
    for crew: PoolCrew, _ meters: WorkerMeters, _ interruption: Interruption
) throws(Errno) -> Ending {
    func done() -> UInt64 { (0..<meters.count).reduce(0) { $0 + meters[$1][.operations] } }
    while true {
        let before = done()
        let deadline = monotonicNanoseconds() + patienceNanoseconds
        switch try interruption.pause(until: deadline, failure: crew.board.finished) {
        case .failed: return .done
        case .interrupted: return .interrupted
        case .over: if done() == before { return .stuck }
        }
    }
}

/// Opens everything, crew by crew, then does everything, crew by crew, so that no more threads work at a time than in
/// a pool that is not live.
///
/// - Parameter firstSignal: set to when the first task may be handed over.
private func runLive(
    _ crews: [PoolCrew], _ meters: WorkerMeters, _ interruption: Interruption, _ counts: inout WakeResults.PoolCounts,
    _ firstSignal: inout UInt64
) throws(Errno) -> Ending {
    let slabBefore = MemoryUse.read().slabBytes
    for crew in crews {
        crew.start()
        guard crew.waitUntilOpened(interruption), !interruption.isRequested else { return .interrupted }
        if crew.error != nil { return .done }
    }
    let slab = MemoryUse.read().slabBytes
    let open = crews.reduce(0) { $0 + Int($1.board.tasks.open.value) * $1.board.tasks.signal.descriptorCount }
    if open > 0 && slab > slabBefore { counts.bytesPerDescriptor = Double(slab - slabBefore) / Double(open) }
    firstSignal = monotonicNanoseconds()
    for crew in crews {
        crew.startSignalling()
        let ending = try wait(for: crew, meters, interruption)
        if ending != .done || crew.error != nil { return ending }
    }
    return .done
}

/// How many tasks each descriptor table gets: one table, unless all descriptors are to be open at once.
private func crewSizes(_ wake: WakePlan) throws(RunError) -> [Int] {
    guard wake.live else { return [wake.tasks] }
    do throws(Errno) {
        let limit = Int(try DescriptorLimit.current().soft)
        // Each table starts with what is open now, and with two signals for every crew.
        let inherited = openDescriptors() + wake.consumers + 32
        var crews = 1
        while true {
            let room = (limit - inherited - crews * (1 + wake.producers)) / wake.signal.descriptorCount
            guard room > 0 else { throw Errno.tooManyOpenFiles }
            let needed = (wake.tasks + room - 1) / room
            if needed <= crews { break }
            crews = needed
        }
        return (0..<crews).map { wake.tasks * ($0 + 1) / crews - wake.tasks * $0 / crews }
    } catch {
        throw RunError(
            "--live finds no room for its tasks; raise the limit of descriptors: ulimit -Hn, LimitNOFILE= of the service",
            error)
    }
}

extension Measurement {
    /// Finds the longest pause of all consumers.
    fileprivate mutating func notePause(of crews: [PoolCrew], from start: UInt64, to end: UInt64) {
        guard end > start else { return }
        var timeline = CompletionTimeline()
        timeline.begin(RunWindow(loadStart: start, start: start, end: end + 1, deadline: end))
        for crew in crews { crew.board.note(in: &timeline) }
        stallNanoseconds = CompletionTimeline.longestPause(of: [timeline], from: start, to: end)
    }

    /// Finds what spoils a pool's run.
    fileprivate mutating func judgePool(_ ending: Ending, workerError: Errno?, _ counts: WakeResults.PoolCounts) {
        if let workerError {
            status = .failed
            reason =
                workerError == .tooManyOpenFiles
                ? "no descriptor is left for even one task: the limit is too low, see ulimit -n"
                : "a thread of the pool stopped: \(workerError)"
        } else if ending == .interrupted {
            status = .partial
            reason = "interrupted"
        } else if counts.lost > 0 || counts.doneTwice > 0 {
            status = .failed
            reason = "\(counts.lost) tasks were lost and \(counts.doneTwice) done twice"
        } else if ending == .stuck {
            status = .failed
            reason = "nothing happened for \(patienceNanoseconds / 1_000_000_000) s"
        }
    }
}
