import Load
import Loops
import Meters
import Servers
import SystemPackage

/// Carries out one run of timers: a worker waits for one short time after the other until the window is over. Nobody else
/// takes part.
func measureTimers(
    _ plan: RunPlan, _ wake: WakePlan, _ interruption: Interruption
) throws(RunError) -> Measurement {
    let loop = plan.loop
    let channel = try makeChannel(wake.signal, loop.mode)
    let lateness = Locked(LatencyRecorder())
    let team = try WorkerTeam(count: 1, loop.placement, stop: try makeSignal(), calls: loop.calls) {
        (member) throws(Errno) in
        var thread = TimerThread(member.meter, seed: loop.seed, on: channel) { member.gate.arriveAndWait() }
        try thread.run(loop.mode)
        lateness.withLock { $0.add(thread.side.lateness.recorder) }
    }
    let nobody: ClientTeam
    do throws(RunError) {
        nobody = try ClientTeam(count: 0, .unpinned) { _, _ in ClientResult() }
    } catch {
        _ = team.finish()
        throw error
    }
    var measurement: Measurement
    do throws(Errno) {
        measurement = try measureWindow(team, nobody, plan, interruption)
    } catch {
        _ = team.finish()
        throw RunError("a run of timers", error)
    }
    // The worker sees the end when its timer expires, which is never far.
    let workerError = team.finish()
    measurement.latencies = lateness.withLock { $0.histogram }
    measurement.judge(plan, workerError: workerError)
    return measurement
}
