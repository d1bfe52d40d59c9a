import LinuxSockets
package import Loops
package import Meters

/// The server that a coordinator wants.
package struct ServerOrder: Codable, Sendable {
    /// What is to run.
    package var kind: Kind
    /// How many workers it is to have.
    package var workers = 1
    /// Where its threads run.
    package var processors: [Int] = []
    /// The port to listen on; 0 lets the kernel choose.
    package var port: UInt16 = 0
    /// Who is to count its system calls; none in a run whose times are measured.
    package var counters: [CallCounter.Source] = []
    /// How many threads, or processes of a command, are counted.
    package var counted = 0

    /// What is to run.
    package enum Kind: Codable, Sendable {
        /// Loops of ours.
        case mode(ModeOrder)
        /// A command that the agent's own command line allows under this name, and how long it may take to listen.
        case command(String, timeoutNanoseconds: UInt64)
    }

    /// What is to run.
    package init(_ kind: Kind) { self.kind = kind }
}

/// Loops of ours, and what comes to them.
package struct ModeOrder: Codable, Sendable {
    var mode: String
    var settings: Mode.WaitSettings
    var topology: Topology
    var implementation: Implementation
    var listener: ListenerSharing
    var defersAccept: Bool
    var opensFast: Bool
    var service: ServiceTime
    var rearm: Rearm
    var seed: UInt64
    /// What comes.
    package var traffic: Traffic

    /// A plan, but for what the agent decides.
    package init(_ plan: ServerPlan, _ traffic: Traffic) {
        mode = plan.loop.mode.name
        settings = plan.loop.mode.options.settings
        topology = plan.loop.topology
        implementation = plan.loop.implementation
        listener = plan.listener
        defersAccept = plan.defersAccept
        opensFast = plan.opensFast
        service = plan.service
        rearm = plan.rearm
        seed = plan.loop.seed
        self.traffic = traffic
    }
}

extension ServerOrder {
    /// The plan of loops of ours.
    ///
    /// - Throws: one line for what no coordinator asks whose options were checked, and for a mode that is not known here.
    func plan(_ order: ModeOrder, at address: SocketAddress) throws(RunError) -> ServerPlan {
        guard let mode = Mode.named(order.mode) else {
            throw RunError(unsupported: "this version has no mode \(String(order.mode.prefix(40)))")
        }
        try checkNumbers(order)
        var plan = ServerPlan(order.traffic.workload, mode: mode.waiting(order.settings))
        guard mode.topologies.contains(order.topology), mode.serves(order.traffic.workload), plan.isWaitable,
            order.implementation == .swift || mode.capabilities.references.contains(order.traffic.workload)
        else { throw RunError(failed: "\(mode.name) does not work as it is asked to") }
        plan.loop.topology = order.topology
        plan.loop.implementation = order.implementation
        plan.loop.placement = Placement(workers: processors, clients: [])
        plan.loop.seed = order.seed
        plan.listener = order.listener
        plan.defersAccept = order.defersAccept
        plan.opensFast = order.opensFast
        plan.workers = workers
        plan.service = order.service
        plan.rearm = order.rearm
        plan.address = address.withPort(port)
        return plan
    }

    /// What is computed of these numbers is to fit a machine word, and what is waited for is to end.
    private func checkNumbers(_ order: ModeOrder) throws(RunError) {
        let (traffic, settings) = (order.traffic, order.settings)
        // So few of each that no product of them is more than a machine word.
        let counts = [
            (workers, 1...1 << 12), (traffic.connections, 0...1 << 24), (traffic.idle, 0...1 << 24),
            (traffic.messageBytes, 0...1 << 24), (traffic.requestBytes, 0...1 << 24), (traffic.depth, 1...1 << 12),
            (traffic.replyEnd.count, 0...1 << 20), (counted, 0...1 << 20),
        ]
        let times: [UInt64?] = [
            settings.spinNanoseconds, settings.waitLimitNanoseconds, settings.minimumWaitNanoseconds,
            settings.pollerIdleNanoseconds,
        ]
        guard counts.allSatisfy({ $1.contains($0) }), traffic.workload != .wake,
            times.allSatisfy({ ($0 ?? 0) <= 3_600_000_000_000 }), (2...64).contains(settings.waitFor ?? 2),
            settings.waitFor == nil || settings.waitLimitNanoseconds != nil || settings.minimumWaitNanoseconds != nil,
            order.service.isSound
        else { throw RunError(failed: "a number is out of range") }
        let available = Affinity.available()
        let asked = processors + (settings.pollerProcessor.map { [Int($0)] } ?? [])
        guard asked.allSatisfy(available.contains) else {
            throw RunError(
                failed: "--pin and --poller-cpu: the agent may use the processors "
                    + available.map(String.init).joined(separator: ", "))
        }
    }
}

extension ServerPlan {
    fileprivate var isWaitable: Bool { loop.mode.waitRefusal == nil }
}

extension ServiceTime {
    /// Whether its times are an hour at the most and its probability is one.
    fileprivate var isSound: Bool {
        let longest: UInt64 = 3_600_000_000_000
        return switch distribution {
        case .none: true
        case .fixed(let time), .exponential(let time): time <= longest
        case .bimodal(let fast, let slow, let share): max(fast, slow) <= longest && (0...1).contains(share)
        }
    }
}
