import LinuxReadiness
import Meters
import SystemPackage

/// Carries out one ping-pong: the worker and the client wake each other until the window is over.
///
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
func measurePingPong(
    _ plan: RunPlan, _ wake: WakePlan, _ interruption: Interruption
) throws(RunError) -> Measurement {
    let state = RallyState()
    let worker = try makeChannel(plan, wake)
    let client = try makeChannel(plan, wake)
    let end = { @Sendable in
        state.over.relaxed = 1
        worker.wakeFromOutside()
        client.wakeFromOutside()
    }
    let team = try WorkerTeam(count: 1, plan.placement, stop: try makeSignal(), calls: plan.calls) {
        (member) throws(Errno) in
        let player = RallyPlayer(
            plan: plan, wake: wake, mine: worker, partner: client, state: state, leads: false, meter: member.meter)
        do throws(Errno) {
            _ = try player.play {
                member.gate.arriveAndWait()
                return RunWindow(
                    loadStart: 0, start: member.meter[.windowStart], end: member.meter[.windowEnd], deadline: .max)
            }
        } catch {
            // The client would wait for ever.
            end()
            throw error
        }
    }
    var measurement: Measurement
    do throws(Errno) {
        measurement = try measureWindow(
            team, warmupNanoseconds: plan.warmupNanoseconds, durationNanoseconds: plan.durationNanoseconds,
            interruption
        ) { window, abandonment in
            abandonment.onRequest(end)
            let meters = WorkerMeters(count: 1)
            return [
                BenchThread("client-0", processor: plan.placement.processor(ofClient: 0)) { () throws(Errno) in
                    let player = RallyPlayer(
                        plan: plan, wake: wake, mine: client, partner: worker, state: state, leads: true,
                        meter: meters[0])
                    var result = ClientResult()
                    result.latencies = try player.play {
                        sleepUntil(nanoseconds: window.loadStart)
                        return window
                    }
                    return result
                }
            ]
        }
    } catch {
        _ = team.finish(wake: end)
        throw RunError("a ping-pong's client", error)
    }
    let workerError = team.finish(wake: end)
    measurement.wake.oneWay = state.oneWayLatencies.histogram
    // One signal is under way at a time, so the longest round trip is the longest pause, or it outlasts the window.
    measurement.noteLongestRoundTrip(pauseAtEnd: state.pauseAtEnd.relaxed)
    measurement.judge(plan, workerError: workerError)
    return measurement
}

/// A channel that suits how the mode waits.
func makeChannel(_ plan: RunPlan, _ wake: WakePlan) throws(RunError) -> WakeChannel {
    // A blocking read must wait, and so must a ring's; after a report of readiness nothing may.
    let waits = plan.mode.mechanism == .blocking || plan.mode.mechanism == .ringSingle
    do throws(Errno) {
        return try WakeChannel(wake.signal, nonblocking: !waits)
    } catch {
        throw RunError(wake.signal == .pipe ? "pipe2" : "eventfd", error)
    }
}
