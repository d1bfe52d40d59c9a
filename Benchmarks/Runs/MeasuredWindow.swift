import Histogram
import Load
import Meters
import Servers
import SystemPackage

/// Lets clients load what is measured for the warm-up and the window, and counts what happens in the window alone.
///
/// - Parameter plan: how long either lasts.
/// - Throws: the error that ended a client.
func measureWindow(
    _ server: some MeasuredThreads, _ clients: some Clients, _ plan: RunPlan, _ interruption: Interruption
) throws(Errno) -> Measurement {
    let watch = try interruption.watch([server.failure, clients.failure])
    // The clients know the times beforehand and cut their part themselves.
    let window = RunWindow.soon(
        warmupNanoseconds: plan.warmupNanoseconds, durationNanoseconds: plan.durationNanoseconds,
        lead: max(server.leadNanoseconds, clients.leadNanoseconds))
    server.begin(window)
    clients.begin(window)

    let warmup = try watch.pause(until: window.start)
    let before = Snapshot(server, clients)
    let pause = warmup == .over ? try watch.pause(until: window.end) : warmup
    let after = Snapshot(server, clients)
    let ending = pause == .over ? try watch.pause(untilFinished: clients) : pause
    if ending != .over { clients.abandonment.request() }

    var measurement = Measurement()
    if warmup == .over { measurement.count(from: before, to: after) }
    measurement.windowNanoseconds = plan.durationNanoseconds
    measurement.windowEnd = min(window.end, after.server.time)
    let results = clients.join()
    try measurement.add(results)
    if !before.server.tellsOperations { measurement.countCompletions(of: results, isWhole: pause == .over) }
    measurement.notePause(of: results, from: window.start, to: window.end)
    clients.complete(&measurement)
    measurement.note(ending)
    return measurement
}

/// Lets the workers begin when the clients have queued all connections; the window is the time until the last one is
/// closed.
///
/// - Throws: the error that ended a client.
func measureDrain(
    _ server: some MeasuredThreads, _ clients: some Clients, _ interruption: Interruption
) throws(Errno) -> Measurement {
    let watch = try interruption.watch([server.failure, clients.failure])
    clients.waitUntilReady()
    let before = Snapshot(server, clients)
    let window = RunWindow.untilAnswered(lead: server.leadNanoseconds)
    clients.begin(window)
    server.begin(window)
    let pause = try watch.pause(untilFinished: clients)
    if pause != .over { clients.abandonment.request() }

    var measurement = Measurement()
    let results = clients.join()
    try measurement.add(results)
    awaitOperations(measurement.latencies.totalCount, of: server)
    measurement.count(from: before, to: Snapshot(server, clients))
    if !before.server.tellsOperations { measurement.countCompletions(of: results, isWhole: false) }
    let lastAnswer = pause == .over ? measurement.lastAnswer : monotonicNanoseconds()
    measurement.windowEnd = max(lastAnswer, window.start + 1)
    measurement.durationNanoseconds = measurement.windowEnd - window.start
    measurement.notePause(of: results, from: window.start, to: measurement.windowEnd)
    measurement.note(pause)
    return measurement
}

/// Waits until the workers have counted what the clients saw: most loops count an operation after the close
/// that the client waits for. A second is given up on, for a connection that the kernel closed without the worker.
private func awaitOperations(_ expected: UInt64, of server: some MeasuredThreads) {
    let deadline = monotonicNanoseconds() + 1_000_000_000
    while server.operations < expected && monotonicNanoseconds() < deadline {
        sleepUntil(nanoseconds: monotonicNanoseconds() + 50_000)
    }
}

extension RunWatch {
    /// Waits until the clients have ended, which they do by the end of their grace period, or until what is watched
    /// happens.
    fileprivate borrowing func pause(untilFinished clients: some Clients) throws(Errno) -> Interruption.Pause {
        while !clients.isFinished {
            let pause = try pause(until: monotonicNanoseconds() + 2_000_000)
            if pause != .over { return pause }
        }
        return .over
    }
}
