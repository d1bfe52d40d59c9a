import LinuxSockets
import Meters
import Workloads

/// Turns the options into the runs of one round, refusing what makes no sense.
struct Arms {
    let plans: [RunPlan]
    /// What was left out of `all`, one line each.
    let notes: [String]

    init(_ options: RunOptions, seed: UInt64) throws {
        if options.workload == Workload.wake.rawValue {
            (plans, notes) = try WakeArms.expand(options, seed: seed)
            return
        }
        if let option = WakeArms.firstGiven(options) {
            throw Failure(.usage, "\(option) belongs to --workload wake; the workload is \(options.workload)")
        }
        let base = try Self.base(options, seed: seed)
        let modes = try Self.modes(options.mode)
        let listeners: [ListenerSharing] = try choices(options.listener, option: "listener")
        let implementations: [RunPlan.Implementation] = try choices(options.implementation, option: "implementation")
        let rearms: [RunPlan.Rearm] = try choices(options.rearm ?? "early", option: "rearm")
        let workers = try Self.counts(options.workers, "--workers")
        let connections = try Self.counts(options.connections ?? (options.rate == nil ? "64" : "1024"), "--connections")
        let topologies: [Topology]? = try options.topology.map { try choices($0, option: "topology") }
        let isAll = options.mode == "all"

        if options.rearm != nil, !modes.contains(where: { $0.mechanism == .epollOneShot }) {
            throw Failure(.usage, "--rearm has a meaning for epoll-oneshot only, which is not among the modes")
        }
        var plans: [RunPlan] = []
        var notes: [String] = []
        for mode in modes {
            let wanted = topologies ?? [mode.topologies[0]]
            let possible = wanted.filter { mode.topologies.contains($0) }
            if possible.count < wanted.count && !(options.topology == "all" && !possible.isEmpty) {
                let reason =
                    "\(mode.name) has no shared set: each worker waits in its own call or ring; use set-per-worker"
                if !isAll { throw Failure(.usage, reason) }
                notes.append(reason)
            }
            for implementation in implementations {
                if implementation == .c, let reason = Self.noReference(mode, base) {
                    if !isAll { throw Failure(.usage, reason) }
                    notes.append(reason)
                    continue
                }
                for topology in possible {
                    for listener in listeners {
                        for workerCount in workers {
                            for connectionCount in connections {
                                for rearm in mode.mechanism == .epollOneShot ? rearms : [.early] {
                                    var plan = base
                                    plan.mode = mode
                                    plan.implementation = implementation
                                    plan.topology = topology
                                    plan.listener = listener
                                    plan.workers = workerCount
                                    plan.connections = connectionCount
                                    plan.rearm = rearm
                                    plan.placement = try Self.placement(options, workerCount)
                                    if plans.contains(where: { $0.isSameArm(as: plan) }) { continue }
                                    if let reason = Self.beyondSelect(plan) {
                                        if !isAll { throw Failure(.usage, reason) }
                                        if !notes.contains(reason) { notes.append(reason) }
                                        continue
                                    }
                                    plans.append(plan)
                                }
                            }
                        }
                    }
                }
            }
        }
        self.plans = plans
        self.notes = notes
    }

    static func modes(_ text: String) throws -> [Mode] {
        if text == "all" { return Mode.all }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let mode = Mode.named(String(name)) else {
                let known = Mode.all.map(\.name).joined(separator: ", ")
                throw Failure(.usage, "unknown mode '\(name)'; modes: \(known), or all")
            }
            return mode
        }
    }

    /// Why the descriptors of a plan do not fit `select(2)`; nil if they do.
    private static func beyondSelect(_ plan: RunPlan) -> String? {
        guard plan.mode.mechanism == .select, plan.workload != .accept, plan.descriptorsNeeded > Mode.selectLimit
        else { return nil }
        return "select takes descriptors below \(Mode.selectLimit) (FD_SETSIZE) and this needs "
            + "\(plan.descriptorsNeeded); take fewer --connections, or poll"
    }

    private static func noReference(_ mode: Mode, _ plan: RunPlan) -> String? {
        guard plan.workload != .crr else { return "--implementation c has no loops for --workload crr" }
        guard mode.hasReference else {
            let known = Mode.all.filter(\.hasReference).map(\.name).joined(separator: ", ")
            return "--implementation c has loops for \(known), not for \(mode.name)"
        }
        return plan.service == .none ? nil : "--implementation c has no service time; leave --service-time out"
    }

    private static func counts(_ text: String, _ option: String) throws -> [Int] {
        guard let values = bench.counts(text) else {
            throw Failure(.usage, "\(option) takes whole numbers from 1 up, separated by commas, not '\(text)'")
        }
        return values
    }

    static func placement(_ options: RunOptions, _ workers: Int) throws -> Placement {
        switch options.pin {
        case "none": return .unpinned
        case "auto": return .automatic(workers: workers, clients: options.clients)
        default:
            let processors = options.pin.split(separator: ",", omittingEmptySubsequences: false).compactMap { Int($0) }
            let available = Affinity.available()
            guard processors.count >= 2, processors.allSatisfy(available.contains),
                options.pin.split(separator: ",", omittingEmptySubsequences: false).count == processors.count
            else {
                throw Failure(
                    .usage,
                    "--pin takes auto, none, or at least two of the processors \(available), not '\(options.pin)'")
            }
            let clientCount = min(options.clients, processors.count - 1)
            return Placement(
                workers: Array(processors.dropLast(clientCount)), clients: Array(processors.suffix(clientCount)))
        }
    }

    /// What all runs have in common.
    private static func base(_ options: RunOptions, seed: UInt64) throws -> RunPlan {
        guard let workload = Workload(rawValue: options.workload) else {
            let known = Workload.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.usage, "unknown workload '\(options.workload)'; workloads: \(known)")
        }
        guard options.clients >= 1 else { throw Failure(.usage, "--clients takes 1 or more") }
        guard options.rounds >= 1 else { throw Failure(.usage, "--rounds takes 1 or more") }
        guard let distribution = serviceDistribution(options.serviceTime) else {
            throw Failure(
                .usage,
                "--service-time takes none, fixed:100us, exp:100us or bimodal:10us,1ms,0.01, not "
                    + "'\(options.serviceTime)'")
        }
        guard let work = ServiceTime.Work(rawValue: options.service) else {
            throw Failure(.usage, "--service takes busy or sleep, not '\(options.service)'")
        }
        guard let close = RunPlan.CloseStyle(rawValue: options.close) else {
            throw Failure(.usage, "--close takes reset or orderly, not '\(options.close)'")
        }
        guard let address = SocketAddress(numeric: options.address, port: options.port) else {
            throw Failure(
                .usage, "--address takes a numeric address such as 127.0.0.1 or ::1, not '\(options.address)'")
        }
        guard (1...1 << 20).contains(options.messageSize) else {
            throw Failure(.usage, "--message-size takes 1 to 1048576 bytes, not \(options.messageSize)")
        }
        guard (1...4096).contains(options.depth), options.depth == 1 || workload == .read else {
            throw Failure(.usage, "--depth takes 1 to 4096 messages and belongs to --workload read")
        }
        guard options.idle >= 0, options.idle == 0 || workload == .read else {
            throw Failure(.usage, "--idle takes 0 or more connections and belongs to --workload read")
        }
        guard options.listener == "shared" || workload != .read else {
            throw Failure(.usage, "--listener spreads new connections, and --workload read makes them beforehand")
        }
        guard options.drain == nil || workload == .accept else {
            throw Failure(.usage, "--drain belongs to --workload accept")
        }
        guard let spacing = RunPlan.Spacing(rawValue: options.spacing) else {
            throw Failure(.usage, "--spacing takes uniform or poisson, not '\(options.spacing)'")
        }
        var plan = RunPlan(workload, mode: Mode.all[0])
        plan.messageBytes = options.messageSize
        plan.depth = options.depth
        plan.idle = options.idle
        plan.spacing = spacing
        plan.clients = options.clients
        plan.load = try load(options)
        plan.service = ServiceTime(distribution: distribution, work: work)
        plan.close = close
        plan.durationNanoseconds = try time(options.duration, "--duration")
        plan.warmupNanoseconds = try time(options.warmup, "--warmup", zero: true)
        plan.address = address
        plan.seed = seed
        return plan
    }

    /// A time as an option has it.
    static func time(_ text: String, _ option: String, zero: Bool = false) throws -> UInt64 {
        guard let value = nanoseconds(text), zero || value > 0 else {
            throw Failure(.usage, "\(option) takes a time such as 1s or 500ms, not '\(text)'")
        }
        return value
    }

    private static func load(_ options: RunOptions) throws -> RunPlan.Load {
        switch (options.rate, options.drain) {
        case (nil, nil): return .closedLoop
        case (let rate?, nil):
            guard rate.isFinite, rate > 0, rate <= 1e8 else {
                throw Failure(.usage, "--rate takes connections per second, more than 0, not \(rate)")
            }
            return .openLoop(perSecond: rate)
        case (nil, let count?):
            guard count >= options.clients else {
                throw Failure(.usage, "--drain takes a number of connections, at least one for each client")
            }
            return .drain(count)
        case (.some, .some):
            throw Failure(.usage, "--rate and --drain exclude each other: an open loop, or a full queue")
        }
    }
}
