import Load
import Loops
import Meters
import Servers
import SystemPackage

/// Carries out one ping-pong: the worker and the client wake each other until the window is over.
func measurePingPong(
    _ plan: RunPlan, _ wake: WakePlan, _ interruption: Interruption
) throws(RunError) -> Measurement {
    let loop = plan.loop
    let isReference = loop.implementation == .c
    let state = PingPongState()
    let worker = try makeChannel(wake.signal, loop.mode)
    let client = try makeChannel(wake.signal, loop.mode)
    let end = { @Sendable in
        // Before the look at who can be woken.
        state.over.value = 1
        worker.wakeFromOutside()
        client.wakeFromOutside()
    }
    let team = try WorkerTeam(count: 1, loop.placement, stop: try makeSignal(), calls: loop.calls) {
        (member) throws(Errno) in
        do throws(Errno) {
            let side = PingPongSide(state, member.meter, loadEnd: nil)
            var thread = PingPong(state: state, side: side, partner: client, isReference: isReference) {
                member.gate.arriveAndWait()
            }
            try thread.run(loop.mode, on: worker)
        } catch {
            // The client would wait for ever.
            end()
            throw error
        }
    }
    func giveUp(_ error: RunError) -> RunError {
        end()
        _ = team.finish(wake: end)
        return error
    }
    let clients: ClientTeam
    do throws(RunError) {
        clients = try leader(loop, state, mine: client, partner: worker, end: end)
    } catch {
        throw giveUp(error)
    }
    var measurement: Measurement
    do throws(Errno) {
        measurement = try measureWindow(team, clients, plan, interruption)
    } catch {
        end()
        clients.giveUp()
        throw giveUp(RunError("a ping-pong's client", error))
    }
    let workerError = team.finish(wake: end)
    measurement.wake.oneWay = state.oneWay.withLock { $0.histogram }
    // One signal is under way at a time, so the longest round trip is the longest pause, or it outlasts the window.
    measurement.noteLongestRoundTrip(pauseAtEnd: state.pauseAtEnd.relaxed)
    measurement.judge(plan, workerError: workerError)
    return measurement
}

/// The side that begins, and ends when the load is over.
private func leader(
    _ loop: LoopPlan, _ state: PingPongState, mine: WakeChannel, partner: WakeChannel,
    end: @escaping @Sendable () -> Void
) throws(RunError) -> ClientTeam {
    try ClientTeam(count: 1, loop.placement) { (_, start) throws(Errno) in
        guard let (window, abandonment) = start.wait() else { return ClientResult() }
        abandonment.onRequest(end)
        let meters = WorkerMeters(count: 1)
        meters.setWindow(start: window.start, end: window.end)
        let side = PingPongSide(state, meters[0], loadEnd: window.loadEnd)
        let isReference = loop.implementation == .c
        var thread = PingPong(state: state, side: side, partner: partner, isReference: isReference) {
            sleepUntil(nanoseconds: window.loadStart)
        }
        try withExtendedLifetime(meters) { () throws(Errno) in try thread.run(loop.mode, on: mine) }
        return ClientResult(latencies: thread.side.roundTrips.recorder)
    }
}

/// A channel that suits how the mode waits.
func makeChannel(_ signal: WakeSignal, _ mode: Mode) throws(RunError) -> WakeChannel {
    do throws(Errno) {
        return try WakeChannel(signal, for: mode)
    } catch {
        let calls: [WakeSignal: String] = [.pipe: "pipe2", .signalfd: "signalfd4", .timerfd: "timerfd_create"]
        throw RunError(calls[signal] ?? "eventfd", error)
    }
}
