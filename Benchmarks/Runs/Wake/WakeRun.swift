import Loops
import Meters
import SystemPackage

/// Carries out one wake run.
///
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
func measureWake(_ plan: RunPlan, _ wake: WakePlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    guard plan.loop.implementation == .swift || wake.hasReference(plan.loop.mode) else {
        throw RunError("a loop in C for \(plan.name)", .notSupported)
    }
    return switch wake.shape {
    case .pingPong: try measurePingPong(plan, wake, interruption)
    case .pool: try measurePool(plan, wake, interruption)
    case .timer: try measureTimers(plan, wake, interruption)
    }
}

extension Measurement {
    /// What this mode did that no server may do, in one line; nil if nothing.
    package func warning(_ plan: RunPlan) -> String? {
        guard case .wake(_, let wakePlan) = plan.plan, let stale = wake.pool?.staleEvents, stale > 0 else { return nil }
        return "\(plan.name) with \(wakePlan.consumers) consumers in one set is unsafe: \(stale) times a "
            + "consumer was told of a task that another had taken; were it to close the descriptor too, it could hit "
            + "somebody else's. Use epoll-et or epoll-oneshot, or a set per worker"
    }
}
