import LinuxDescriptors
import LinuxReadiness
import Meters
import Records
import SystemPackage

/// Lets clients load a team of workers for the length of the warm-up and the window, and counts what happens in the
/// window alone.
///
/// - Parameters:
///   - clientFailure: readable when a client failed; the team's own signal will do as well.
///   - isOpenLoop: the clients know how many operations are due.
///   - start: starts the client threads, which know the times beforehand and cut their part themselves.
/// - Throws: the error that ended a client.
func measureWindow(
    _ team: WorkerTeam, clientFailure: BorrowedDescriptor? = nil, warmupNanoseconds: UInt64,
    durationNanoseconds: UInt64, isOpenLoop: Bool = false,
    _ interruption: Interruption, clients start: (RunWindow, Abandonment) -> [BenchThread<ClientResult>]
) throws(Errno) -> Measurement {
    let watch = try interruption.watch(failures: [team.failure.descriptor] + (clientFailure.map { [$0] } ?? []))
    // Late enough that all client threads have started.
    let loadStart = monotonicNanoseconds() + 5_000_000
    let windowStart = loadStart + warmupNanoseconds
    let end = windowStart + durationNanoseconds
    let window = RunWindow(
        loadStart: loadStart, start: windowStart, end: end, loadEnd: end + RunWindow.tailNanoseconds,
        deadline: end + RunWindow.graceNanoseconds)
    team.meters.setWindow(start: windowStart, end: end)
    team.start()
    let abandonment = Abandonment()
    let clients = start(window, abandonment)
    func snapshot() -> Snapshot {
        Snapshot(team.meters, server: team.accounts, client: clients.map(\.account))
    }

    var measurement = Measurement()
    let warmup = try watch.pause(until: windowStart)
    let before = snapshot()
    let pause = warmup == .over ? try watch.pause(until: end) : warmup
    let after = snapshot()
    var answers = pause
    // The last answers can take as long as the grace period, and the user may not want to wait for them.
    while answers == .over && clients.contains(where: { !$0.isFinished }) {
        answers = try watch.pause(until: monotonicNanoseconds() + 2_000_000)
    }
    if answers != .over { abandonment.request() }
    if warmup == .over { Snapshot.difference(from: before, to: after, into: &measurement) }
    measurement.noteServer(team.meters, windowEnd: min(end, after.time))
    measurement.windowNanoseconds = durationNanoseconds
    if isOpenLoop { measurement.due = 0 }
    let results = clients.map { $0.join() }
    try measurement.add(results)
    measurement.notePause(of: results, from: windowStart, to: end)
    measurement.serverFailures = team.failures.failures
    measurement.note(answers)
    return measurement
}
