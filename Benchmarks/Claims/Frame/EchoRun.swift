import Load
import Loops
import Meters
import Runs

/// One worker that echoes 64-byte messages over loopback for a while, unless the plan is changed to others.
///
/// - Throws: ``Undecided`` if it echoed none, and what ``experimentRun(_:mayLose:)`` throws.
func echoRun(
    _ mode: String, connections: Int, milliseconds: UInt64 = 300, _ change: (inout RunPlan) -> Void = { _ in }
) throws -> Measurement {
    var plan = try RunPlan(.read, named: mode, .setPerWorker, milliseconds: milliseconds)
    plan.server.workers = 1
    plan.load.connections = connections
    change(&plan)
    let run = try experimentRun(plan)
    guard run.operations > 0 else { throw Undecided("\(mode) served nothing in \(milliseconds) ms") }
    return run
}

/// The server's CPU time for a message.
func nanosecondsPerMessage(_ run: Measurement) -> Double {
    Double(run.server.cpuNanoseconds) / Double(max(run.operations, 1))
}
