import LinuxSockets
import Load
import Loops
import Meters
import Runs
import Servers

extension RunOptions {
    /// Every combination that the options of `--workload accept`, `crr`, `read` and `datagram` name, possible or not.
    func networkPlans(_ common: RunPlan) throws -> [RunPlan] {
        let base = try networkPlan(common)
        let paces = try paces(base)
        let servers = try externalServers(base)
        let modes = try wait.applied(
            to: mode == nil && !servers.isEmpty ? [] : modesNamed(mode ?? "all", for: base.workload),
            on: agents.connected()?.facts.processors ?? Affinity.available())
        if modes.isEmpty, let option = loopOptionsGiven.first {
            throw Failure(.usage, "\(option) says what our loops do, and no --mode is given; leave it out")
        }
        if network.compareWithout, wait.given.isEmpty, !exchange.deferAccept, !exchange.fastOpen, !messages.timestamps {
            throw Failure(
                .usage,
                "--compare-without leaves options out, and none is given; give --spin 50us, say, or leave it out too"
            )
        }
        let implementations: [Implementation] = try choices(implementation, option: "implementation")
        let listeners: [ListenerSharing] = try choices(
            connect.listener ?? base.server.listener.rawValue, option: "listener")
        let rearms: [Rearm] = try choices(network.rearm ?? base.server.rearm.rawValue, option: "rearm")
        let workers = try counts(network.workers ?? "1", "--workers")
        let connections = try counts(network.connections ?? (isOpenLoop ? "1024" : "64"), "--connections")
        if accept.drain == nil, let fewest = connections.min() { try checkClients(base, fewest) }
        if network.rearm != nil, !modes.isEmpty, !modes.contains(where: \.capabilities.isRearmed) {
            throw Failure(.usage, "--rearm has a meaning for epoll-oneshot only, which is not among the modes")
        }
        let others = try servers.map { server in
            var plan = base
            plan.plan = .external(server, base.load)
            return plan
        }
        .varied(\.load.pace) { _ in paces }
        .varied(\.external.workers) { $0.external.takesWorkers ? workers : [workers[0]] }
        .varied(\.load.connections) { _ in connections }
        .varied(\.external.placement) { [try placement(of: $0)] }
        let plans = try [base]
            .varied(\.loop.mode) { _ in modes }
            .varied(\.loop.implementation) { _ in implementations }
            .varied(\.loop.topology) { try topologies(possible: $0.loop.mode.topologies) }
            .varied(\.server.listener) { _ in listeners }
            .varied(\.load.pace) { _ in paces }
            .varied(\.server.workers) { _ in workers }
            .varied(\.load.connections) { _ in connections }
            .varied(\.server.rearm) { $0.loop.mode.capabilities.isRearmed ? rearms : [$0.server.rearm] }
            .varied(\.loop.placement) { [try placement(workers: $0.server.workers, clients: $0.clients, by: $0.agent)] }
        return try (network.compareWithout ? plans.flatMap { [$0, try $0.plain()] } : plans) + others
    }

    private func networkPlan(_ common: RunPlan) throws -> RunPlan {
        var plan = common
        plan.load.clients = try inRange(
            network.clients ?? plan.load.clients, 1...mostCount, "--clients takes 1 or more")
        plan.load.messageBytes = try inRange(
            messages.messageSize ?? plan.load.messageBytes, 1...1 << 20, "--message-size takes 1 to 1048576 bytes")
        plan.load.depth = try inRange(flight.depth ?? plan.load.depth, 1...4096, "--depth takes 1 to 4096 messages")
        try checkDatagrams(plan.load)
        plan.load.idle = try inRange(read.idle ?? plan.load.idle, 0...mostCount, "--idle takes 0 or more connections")
        plan.load.close = try choice(connect.close, "--close") ?? plan.load.close
        plan.load.spacing = try choice(network.spacing, "--spacing") ?? plan.load.spacing
        if network.spacing != nil && !isOpenLoop {
            throw Failure(
                .usage, "--spacing says how the starts of an open loop are spread; give --rate, --sweep or --slo too")
        }
        plan.server.defersAccept = exchange.deferAccept
        plan.server.opensFast = exchange.fastOpen
        plan.load.opensFast = exchange.fastOpen
        plan.objective = try objective()
        plan.load.probePerSecond = try probeRate()
        if let rate = servers.connectRate {
            guard (0.001...1e8).contains(rate) else {
                throw Failure(.usage, "--connect-rate takes 0.001 to 100000000 connections per second, not \(rate)")
            }
            guard accept.drain == nil else {
                throw Failure(
                    .usage, "--connect-rate and --drain exclude each other: a drain's queue is filled beforehand")
            }
            plan.load.connectionsPerSecond = rate
        }
        if let think = read.think {
            if let option = paceOptions.first {
                throw Failure(
                    .usage, "--think belongs to a closed loop, and \(option) makes an open one; leave one out")
            }
            plan.load.thinkNanoseconds = try bench.duration(think, "--think", zero: true)
        }
        plan.server.service = try serviceTime(network.serviceTime, network.service)
        let host = network.address ?? "127.0.0.1"
        guard let address = SocketAddress(numeric: host, port: network.port ?? 0) else {
            throw Failure(.usage, "--address takes a numeric address such as 127.0.0.1 or ::1, not '\(host)'")
        }
        plan.server.address = address
        plan.loadHosts = try loadHosts()
        plan.agent = try agents.connected()
        if let agent = plan.agent { try refuseLocal(with: agent) }
        plan.load.conversation = try conversation.conversation(
            plan.load.workload, host: hostHeader(ofOurs: address))
        plan.load.tls = try tlsContext(plan.load.conversation.wire)
        plan.load.takesStamps = messages.timestamps
        if plan.load.takesStamps, plan.load.tls != nil {
            throw Failure(
                .usage, "--timestamps and --tls exclude each other: OpenSSL reads without them; leave one out")
        }
        return plan
    }

    /// A datagram is one packet of IP at the most, and its number has to tell it from the others in flight.
    private func checkDatagrams(_ load: LoadPlan) throws {
        guard load.workload == .datagram else { return }
        if flight.depth != nil, let option = paceOptions.first {
            throw Failure(
                .usage,
                "--depth belongs to a closed loop of datagrams, and \(option) makes an open one; leave one out")
        }
        _ = try inRange(load.messageBytes, 1...65_507, "--message-size takes 1 to 65507 bytes of a datagram")
        guard load.messageBytes > 1 || load.depth <= 128 else {
            throw Failure(
                .usage,
                "--depth \(load.depth): a datagram of 1 byte has no room to tell so many apart; take 128 or less, or "
                    + "--message-size 2")
        }
    }

    /// What HTTP requests name: the target if there is one, else the address of servers whose port is not known yet.
    private func hostHeader(ofOurs address: SocketAddress) -> String {
        if let target = servers.target, !target.hasPrefix("unix:") { return target }
        return agents.agent.flatMap { SocketAddress.parts(of: $0)?.host } ?? address.hostHeader
    }
}

extension RunPlan {
    /// The same without what the column `options` tells.
    fileprivate func plain() throws -> RunPlan {
        var plan = self
        plan.loop.mode = try modesNamed(name)[0]
        plan.server.defersAccept = false
        plan.server.opensFast = false
        plan.load.opensFast = false
        plan.load.takesStamps = false
        return plan
    }

    var networkMistake: String? {
        guard let mode else { return nil }
        if let reason = mode.refusal(for: workload) ?? mode.waitRefusal { return reason }
        if workload == .datagram && loop.topology == .sharedSet {
            return "--workload datagram has a socket and a set for each worker; use --topology set-per-worker"
        }
        guard mode.topologies.contains(loop.topology) else {
            return mode.topologies.contains(.sharedSet)
                ? "\(mode.name) waits in one set for all workers; use --topology shared-set"
                : "\(mode.name) has no shared set: each worker waits in its own call or ring; use set-per-worker"
        }
        if let mistake = server.requestMistake(load.conversation.wire) { return mistake }
        if workload == .read, load.conversation.asksForClose {
            return
                "\(mode.name): our loops get the connections of a read beforehand, so none may ask for its close; use "
                + "--workload crr, or leave --header Connection out"
        }
        guard loop.implementation == .c else { return nil }
        guard workload != .crr && workload != .datagram else {
            return "--implementation c has no loops for --workload \(workload.rawValue)"
        }
        guard load.conversation.wire == .echo else {
            return "--implementation c has no loops for --protocol \(load.conversation.wire.rawValue)"
        }
        guard mode.capabilities.references.contains(workload) else {
            let known = Mode.every.filter { $0.capabilities.references.contains(workload) }.map(\.name).joined(
                separator: ", ")
            return "--implementation c has loops for \(known), not for \(mode.name)"
        }
        guard mode.options.text.isEmpty else {
            return "--implementation c waits in one way; leave \(mode.options.text) out"
        }
        return server.service == .none ? nil : "--implementation c has no service time; leave --service-time out"
    }
}

extension ServerPlan {
    /// Why its workers cannot answer the requests of a protocol; nil if they can.
    func requestMistake(_ wire: WireProtocol) -> String? {
        let wires = loop.mode.capabilities.wires
        if !wires.contains(wire) {
            return "\(loop.mode.name) is for --protocol \(wires.map(\.rawValue).joined(separator: " or ")); of "
                + "\(wire.rawValue) use \(loop.mode.base ?? "epoll-lt")"
        }
        guard wire != .echo, workers > 1, sharesConnections else { return nil }
        return "\(loop.mode.name): two workers of a shared set can each have a part of one request; use --topology "
            + "set-per-worker, or epoll-oneshot with --rearm late"
    }
}
