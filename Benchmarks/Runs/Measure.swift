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
    measurement.peakMemoryBytes = MemoryUse.read().peakBytes
    return measurement
}
