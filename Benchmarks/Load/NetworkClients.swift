package import LinuxSockets
package import Meters
import SystemPackage

extension ClientTeam {
    /// Starts the clients of a network plan. Those of a read run connect at once, and those of a drain queue all their
    /// connections; then all wait for the start.
    package convenience init(
        _ plan: LoadPlan, to address: SocketAddress, _ placement: Placement, seed: UInt64
    ) throws(RunError) {
        try self.init(count: plan.threads, placement, ownDescriptors: true) { (index, start) throws(Errno) in
            if index == plan.clients, let probe = plan.probe {
                var result = try NetworkClient(plan: probe, address: address, index: 0, seed: ~seed, start: start).run()
                result.isProbe = true
                return result
            }
            return try NetworkClient(plan: plan, address: address, index: index, seed: seed, start: start).run()
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

    func run() throws(Errno) -> ClientResult {
        if plan.workload == .datagram { return try runDatagrams() }
        let conversation = plan.conversation
        let ownSeed = seed &+ UInt64(plan.place(ofClient: index))
        return switch conversation.wire {
        case .echo: try run(EchoFormat(plan))
        case .http: try run(HTTPFormat(conversation, seed: ownSeed))
        case .redis: try run(RedisFormat(conversation, seed: ownSeed))
        case .memcached: try run(MemcachedFormat(conversation, seed: ownSeed))
        case .bytes: try run(BytesFormat(conversation, seed: ownSeed))
        }
    }

    private func runDatagrams() throws(Errno) -> ClientResult {
        try DatagramClient(
            plan, to: address, connections: plan.share(of: plan.connections, forClient: index),
            seed: seed &+ UInt64(plan.place(ofClient: index))
        ).run(plan, client: index, seed: seed, start)
    }

    private func run<Format: ReplyFormat & ~Copyable>(_ format: consuming Format) throws(Errno) -> ClientResult {
        let connections = plan.share(of: plan.queued ?? plan.connections, forClient: index)
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
