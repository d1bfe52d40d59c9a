package import LinuxSockets
package import Meters
import SystemPackage

extension ClientTeam {
    /// Starts the clients of a network plan. Those of a read run connect at once, and those of a drain queue all their
    /// connections; then all wait for the start.
    package convenience init(
        _ plan: LoadPlan, to address: SocketAddress, _ placement: Placement, seed: UInt64
    ) throws(RunError) {
        try self.init(count: plan.clients, placement, ownDescriptors: true) { (index, start) throws(Errno) in
            let connections = share(plan.traffic.connections, index, of: plan.clients)
            guard plan.workload == .read else {
                var client = try ConnectionClient(plan, to: address, capacity: connections)
                if plan.queued != nil { try client.queue() }
                return try client.run(plan, client: index, seed: seed, start)
            }
            return try EchoClient(
                plan, to: address, connections: connections, idle: share(plan.idle, index, of: plan.clients),
                seed: seed &+ UInt64(index)
            ).run(plan, client: index, seed: seed, start)
        }
    }
}

/// Thread `index`'s part of `total`: nothing for the last ones if there are more threads.
func share(_ total: Int, _ index: Int, of count: Int) -> Int {
    total / count + (index < total % count ? 1 : 0)
}
