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
            let client = NetworkClient(plan: plan, address: address, index: index, seed: seed, start: start)
            if plan.workload == .datagram { return try client.runDatagrams() }
            let conversation = plan.conversation
            let ownSeed = seed &+ UInt64(plan.place(ofClient: index))
            return switch conversation.wire {
            case .echo: try client.run(EchoFormat(plan))
            case .http: try client.run(HTTPFormat(conversation, seed: ownSeed))
            case .redis: try client.run(RedisFormat(conversation, seed: ownSeed))
            case .memcached: try client.run(MemcachedFormat(conversation, seed: ownSeed))
            case .bytes: try client.run(BytesFormat(conversation, seed: ownSeed))
            }
        }
    }
}

/// One client thread of a network plan.
private struct NetworkClient {
    let plan: LoadPlan
    let address: SocketAddress
    let index: Int
    let seed: UInt64
    let start: ClientStart

    func runDatagrams() throws(Errno) -> ClientResult {
        try DatagramClient(
            plan, to: address, connections: plan.share(of: plan.connections, forClient: index),
            seed: seed &+ UInt64(plan.place(ofClient: index))
        ).run(plan, client: index, seed: seed, start)
    }

    func run<Format: ReplyFormat & ~Copyable>(_ format: consuming Format) throws(Errno) -> ClientResult {
        let connections = plan.share(of: plan.traffic.connections, forClient: index)
        guard plan.workload == .read else {
            var client = try ConnectionClient(format, plan, to: address, capacity: connections, client: index)
            if plan.queued != nil { try client.queue(start) }
            return try client.run(plan, client: index, seed: seed, start)
        }
        return try StreamClient(
            format, plan, to: address, connections: connections, idle: plan.share(of: plan.idle, forClient: index),
            seed: seed &+ UInt64(plan.place(ofClient: index)), client: index,
            start: start
        ).run(plan, client: index, seed: seed, start)
    }
}
