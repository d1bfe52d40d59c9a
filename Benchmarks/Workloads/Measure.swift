import Meters
import Records

/// Carries out one run.
///
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
public func measure(_ plan: RunPlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    MemoryUse.forgetPeak()
    var measurement: Measurement =
        switch plan.workload {
        case .accept: try measureAccept(plan, interruption)
        case .crr: try measureCrr(plan, interruption)
        case .read: try measureRead(plan, interruption)
        case .wake: try measureWake(plan, interruption)
        }
    if case .openLoop = plan.load { measurement.latencyKind = .fromScheduledStart }
    measurement.peakMemoryBytes = MemoryUse.read().peakBytes
    measurement.usesRing = plan.mode.mechanism.usesRing
    measurement.opensConnections = plan.workload != .wake
    measurement.keepsClock =
        plan.implementation == .swift && (plan.workload != .wake || plan.wake.shape == .pool && plan.wake.consumers > 1)
    measurement.ordersMessages = plan.ordersMessages
    return measurement
}
