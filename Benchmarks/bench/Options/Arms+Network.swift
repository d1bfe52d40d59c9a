import LinuxSockets
import Load
import Loops
import Meters
import Runs

extension RunOptions {
    /// Every combination that the options of `--workload accept`, `crr` and `read` name, possible or not.
    func networkPlans(_ common: RunPlan) throws -> [RunPlan] {
        let base = try networkPlan(common)
        let modes = try modesNamed(mode ?? "all")
        let implementations: [Implementation] = try choices(implementation, option: "implementation")
        let listeners: [ListenerSharing] = try choices(connect.listener ?? "shared", option: "listener")
        let rearms: [Rearm] = try choices(network.rearm ?? base.server.rearm.rawValue, option: "rearm")
        let workers = try counts(network.workers ?? "1", "--workers")
        let connections = try counts(network.connections ?? (network.rate == nil ? "64" : "1024"), "--connections")
        if accept.drain == nil, let fewest = connections.min(), base.clients > fewest {
            throw Failure(
                .usage,
                "--clients \(base.clients) is more than --connections \(fewest): each client thread needs a connection")
        }
        if network.rearm != nil, !modes.contains(where: \.capabilities.isRearmed) {
            throw Failure(.usage, "--rearm has a meaning for epoll-oneshot only, which is not among the modes")
        }
        return try [base]
            .varied(\.loop.mode) { _ in modes }
            .varied(\.loop.implementation) { _ in implementations }
            .varied(\.loop.topology) { try topologies(possible: $0.loop.mode.topologies) }
            .varied(\.server.listener) { _ in listeners }
            .varied(\.server.workers) { _ in workers }
            .varied(\.load.connections) { _ in connections }
            .varied(\.server.rearm) { $0.loop.mode.capabilities.isRearmed ? rearms : [$0.server.rearm] }
            .varied(\.loop.placement) { [try placement(workers: $0.server.workers, clients: $0.clients)] }
    }

    private func networkPlan(_ common: RunPlan) throws -> RunPlan {
        var plan = common
        plan.load.clients = try inRange(
            network.clients ?? plan.load.clients, 1...mostCount, "--clients takes 1 or more")
        plan.load.messageBytes = try inRange(
            messages.messageSize ?? plan.load.messageBytes, 1...1 << 20, "--message-size takes 1 to 1048576 bytes")
        plan.load.depth = try inRange(read.depth ?? plan.load.depth, 1...4096, "--depth takes 1 to 4096 messages")
        plan.load.idle = try inRange(read.idle ?? plan.load.idle, 0...mostCount, "--idle takes 0 or more connections")
        plan.load.close = try choice(connect.close, "--close") ?? plan.load.close
        plan.load.spacing = try choice(network.spacing, "--spacing") ?? plan.load.spacing
        if network.spacing != nil && network.rate == nil {
            throw Failure(.usage, "--spacing says how the starts of an open loop are spread; give --rate too")
        }
        plan.load.pace = try load(clients: plan.load.clients)
        plan.server.service = try service()
        let host = network.address ?? "127.0.0.1"
        guard let address = SocketAddress(numeric: host, port: network.port ?? 0) else {
            throw Failure(.usage, "--address takes a numeric address such as 127.0.0.1 or ::1, not '\(host)'")
        }
        plan.server.address = address
        return plan
    }

    private func service() throws -> ServiceTime {
        let text = network.serviceTime ?? "none"
        guard let distribution = serviceDistribution(text) else {
            throw Failure(
                .usage, "--service-time takes none, fixed:100us, exp:100us or bimodal:10us,1ms,0.01, not '\(text)'")
        }
        let work: ServiceTime.Work? = try choice(network.service, "--service")
        if work != nil && text == "none" {
            throw Failure(.usage, "--service says how a worker spends --service-time; give that too")
        }
        return ServiceTime(distribution: distribution, work: work ?? .busy)
    }

    private func load(clients: Int) throws -> LoadPlan.Pace {
        switch (network.rate, accept.drain) {
        case (nil, nil): return .closedLoop
        case (let rate?, nil):
            guard rate.isFinite, rate > 0, rate <= 1e8 else {
                throw Failure(.usage, "--rate takes connections per second, more than 0, not \(rate)")
            }
            return .openLoop(perSecond: rate)
        case (nil, let count?):
            guard (clients...mostCount).contains(count) else {
                throw Failure(.usage, "--drain takes a number of connections, at least one for each client")
            }
            return .drain(count)
        case (.some, .some):
            throw Failure(.usage, "--rate and --drain exclude each other: an open loop, or a full queue")
        }
    }
}

extension RunPlan {
    var networkMistake: String? {
        guard let mode else { return nil }
        guard mode.topologies.contains(loop.topology) else {
            return mode.topologies.contains(.sharedSet)
                ? "\(mode.name) waits in one set for all workers; use --topology shared-set"
                : "\(mode.name) has no shared set: each worker waits in its own call or ring; use set-per-worker"
        }
        guard loop.implementation == .c else { return nil }
        guard workload != .crr else { return "--implementation c has no loops for --workload crr" }
        guard mode.capabilities.references.contains(workload) else {
            let known = Mode.all.filter { $0.capabilities.references.contains(workload) }.map(\.name).joined(
                separator: ", ")
            return "--implementation c has loops for \(known), not for \(mode.name)"
        }
        return server.service == .none ? nil : "--implementation c has no service time; leave --service-time out"
    }
}
