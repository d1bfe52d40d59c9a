import Load
import Loops
package import Meters
import Records
import Servers

/// Carries out one run.
///
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
package func measure(_ plan: RunPlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    MemoryUse.forgetPeak()
    var measurement: Measurement =
        switch plan.plan {
        case .network(_, let load) where plan.agent != nil, .external(_, let load) where plan.agent != nil:
            try measureNetwork(plan, load, interruption) { () throws(RunError) in
                guard let agent = plan.agent else { throw RunError(failed: "no agent") }
                return try plan.startedRemotely(by: agent, interruption)
            }
        case .network(let server, let load) where load.workload == .datagram:
            try measureNetwork(plan, load, interruption) { () throws(RunError) in
                try DatagramServer(server, expecting: load.traffic)
            }
        case .network(let server, let load):
            try measureNetwork(plan, load, interruption) { () throws(RunError) in
                try LocalServer(server, expecting: load.traffic)
            }
        case .external(let server, let load):
            try measureNetwork(plan, load, interruption) { () throws(RunError) in
                try ServerProcess(server, unless: [interruption.descriptor])
            }
        case .wake(_, let wake): try measureWake(plan, wake, interruption)
        }
    // Of a server on another machine its agent has said it.
    if plan.agent == nil { measurement.peakMemoryBytes = MemoryUse.read().peakBytes }
    return measurement
}
