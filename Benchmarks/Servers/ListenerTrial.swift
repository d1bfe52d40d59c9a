import LinuxSockets
package import Loops
package import Meters

/// Tries whether a server can listen as planned.
///
/// - Throws: the call that failed, and why.
package func tryListening(_ plan: ServerPlan, _ traffic: Traffic) throws(RunError) {
    if traffic.workload == .datagram { return _ = try DatagramServer.bind(plan, to: plan.address) }
    _ = try ListenerGroup(plan, traffic)
}

extension ListenerSharing {
    /// Why this kernel or this user cannot have it; nil if it can. Two listeners on loopback are opened to find out.
    package func unsupportedReason() -> String? {
        var plan = ServerPlan(.accept, mode: Mode.all[0])
        plan.listener = self
        plan.workers = 2
        do throws(RunError) {
            try tryListening(plan, Traffic(.accept, connections: 1))
            return nil
        } catch {
            return error.description
        }
    }
}
