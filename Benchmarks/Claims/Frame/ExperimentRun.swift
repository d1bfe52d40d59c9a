import Loops
import Meters
import Records
import Runs

/// Makes a harness run as a part of an experiment, with no thread pinned unless the plan says so.
///
/// An overflow of an accept queue is accepted: the kernel counts those for the whole machine, and these plans keep
/// fewer connections waiting than the shortest queue holds.
///
/// - Parameter mayLose: whether operations without an answer are an observation and no failure.
/// - Throws: ``Unobservable`` if this kernel or the limits do not allow it or the user ended it, ``Undecided`` if the
///   load was not served, ``ScriptError`` if it failed.
func experimentRun(_ plan: RunPlan, mayLose: Bool = false) throws -> Measurement {
    if let reason = plan.unsupportedReason(rings: ringSupport) {
        throw Unobservable(reason)
    }
    if let reason = descriptorShortage(plan.descriptorsNeeded) { throw Unobservable(reason) }
    let measurement: Measurement
    do {
        measurement = try measure(plan, try Interruption())
    } catch let error as RunError where error.isUnsupported {
        throw Unobservable(error.description)
    }
    switch measurement.status {
    case .ok, .void: return measurement
    case .partial, .unsupported: throw Unobservable(measurement.reason)
    case .failed: return try excuse(measurement, mayLose: mayLose)
    }
}

/// Returns or classifies a failed run: what the experiment looks for, what the machine caused, or a failure.
private func excuse(_ measurement: Measurement, mayLose: Bool) throws -> Measurement {
    if let reason = refusal(ofReason: measurement.reason) { throw Unobservable(reason) }
    // Messages that workers answer out of order are what some experiments look for.
    if measurement.failures.isOnly(.wrongBytes), measurement.totals[.outOfOrder, default: 0] > 0 { return measurement }
    if mayLose && (measurement.lost > 0 || (measurement.wake.pool?.lost ?? 0) > 0) { return measurement }
    if measurement.lost > 0 || measurement.perWorker.allSatisfy({ $0 == 0 }) {
        throw Undecided("the load was not served: \(measurement.reason)")
    }
    throw ScriptError(measurement.reason)
}

extension RunPlan {
    /// A run of an experiment: four workers, a short warm-up.
    init(_ workload: Workload, named name: String, _ topology: Topology, milliseconds: UInt64) throws {
        guard let mode = Mode.named(name) else { throw ScriptError("there is no mode \(name)") }
        self.init(workload, mode: mode)
        loop.topology = topology
        if workload != .wake { server.workers = 4 }
        warmupNanoseconds = 50_000_000
        durationNanoseconds = milliseconds * 1_000_000
    }
}
