import LinuxSockets
import Meters
import Workloads

/// Turns the options into the runs of one round, refusing what makes no sense.
struct Arms {
    let plans: [RunPlan]
    /// What was left out of several modes, one line each.
    let notes: [String]

    init(_ options: RunOptions, seed: UInt64) throws {
        let isWake = options.workload == Workload.wake.rawValue
        let (all, notes) = try isWake ? WakeArms.expand(options, seed: seed) : Self.expand(options, seed: seed)
        // Of what the modes together may be given, each gets its part.
        plans = all.filter { options.only == nil || $0.mode.name == options.only }
        self.notes = notes
    }

    private static func expand(_ options: RunOptions, seed: UInt64) throws -> (plans: [RunPlan], notes: [String]) {
        if let option = WakeArms.firstGiven(options) {
            throw Failure(.usage, "\(option) belongs to --workload wake; the workload is \(options.workload)")
        }
        let base = try Self.base(options, seed: seed)
        let modes = try Self.modes(options.mode)
        let listeners: [ListenerSharing] = try choices(options.listener, option: "listener")
        let implementations: [RunPlan.Implementation] = try choices(options.implementation, option: "implementation")
        let rearms: [RunPlan.Rearm] = try choices(options.rearm ?? base.rearm.rawValue, option: "rearm")
        let workers = try Self.counts(options.workers, "--workers")
        let connections = try Self.counts(options.connections ?? (options.rate == nil ? "64" : "1024"), "--connections")
        if options.drain == nil, let fewest = connections.min(), options.clients > fewest {
            throw Failure(
                .usage,
                "--clients \(options.clients) is more than --connections \(fewest): each client thread needs a connection"
            )
        }
        let topologies: [Topology]? = try options.topology.map { try choices($0, option: "topology") }
        if options.rearm != nil, !modes.contains(where: { $0.mechanism == .epollOneShot }) {
            throw Failure(.usage, "--rearm has a meaning for epoll-oneshot only, which is not among the modes")
        }

        let candidates = try [base]
            .varied(\.mode) { _ in modes }
            .varied(\.implementation) { _ in implementations }
            .varied(\.topology) { plan in
                options.topology == "all" ? plan.mode.topologies : topologies ?? [plan.mode.topologies[0]]
            }
            .varied(\.listener) { _ in listeners }
            .varied(\.workers) { _ in workers }
            .varied(\.connections) { _ in connections }
            .varied(\.rearm) { plan in plan.mode.mechanism == .epollOneShot ? rearms : [plan.rearm] }
            .varied(\.placement) { plan in [try Self.placement(options, plan.workers)] }

        var plans: [RunPlan] = []
        var notes: [String] = []
        for plan in candidates where !plans.contains(where: { $0.isSameArm(as: plan) }) {
            guard let reason = Self.refusal(of: plan) else {
                plans.append(plan)
                continue
            }
            if !notes.contains(reason) { notes.append(reason) }
        }
        // Of "all" and of what was named together, something must be possible; the rest is left out and said.
        if plans.isEmpty, let reason = notes.first { throw Failure(.usage, reason) }
        return (plans, notes)
    }

    static func modes(_ text: String) throws -> [Mode] {
        if text == "all" { return Mode.all }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let mode = Mode.named(String(name)) else {
                throw Failure.unknownMode(String(name))
            }
            return mode
        }
    }

    /// Why a plan cannot be run; nil if it can.
    private static func refusal(of plan: RunPlan) -> String? {
        let mode = plan.mode
        guard mode.topologies.contains(plan.topology) else {
            return mode.topologies.contains(.sharedSet)
                ? "\(mode.name) waits in one set for all workers; use --topology shared-set"
                : "\(mode.name) has no shared set: each worker waits in its own call or ring; use set-per-worker"
        }
        guard plan.implementation == .c else { return nil }
        guard plan.workload != .crr else { return "--implementation c has no loops for --workload crr" }
        guard mode.hasReference else {
            let known = Mode.all.filter(\.hasReference).map(\.name).joined(separator: ", ")
            return "--implementation c has loops for \(known), not for \(mode.name)"
        }
        return plan.service == .none ? nil : "--implementation c has no service time; leave --service-time out"
    }

    private static func counts(_ text: String, _ option: String) throws -> [Int] {
        guard let values = bench.counts(text) else {
            throw Failure(
                .usage, "\(option) takes whole numbers from 1 up to \(mostCount), separated by commas, not '\(text)'")
        }
        return values
    }
}

extension [RunPlan] {
    /// Each plan with every value in turn that `values` has for it.
    func varied<Value>(
        _ path: WritableKeyPath<RunPlan, Value>, _ values: (RunPlan) throws -> [Value]
    ) rethrows -> [RunPlan] {
        try flatMap { plan in
            try values(plan).map { value in
                var plan = plan
                plan[keyPath: path] = value
                return plan
            }
        }
    }
}
