import Meters
import Records
import Loops
import Reports
import Runs
import Servers

/// The runs of one round: what the options mean, and the only place where they become plans.
struct Arms {
    var plans: [RunPlan]
    /// What was left out of several modes, one line each.
    let notes: [String]

    /// - Throws: ``Failure`` for a mistake in the options, and if nothing is left that makes sense.
    init(_ options: RunOptions, seed: UInt64) throws {
        let workload: Workload = try named(options.workload, "workload")
        try options.refuseForeign(to: workload)
        // The order of all rounds is drawn, and written down, before the first.
        _ = try inRange(options.rounds, 1...10_000, "--rounds takes 1 or more, 10000 at the most")
        var base = RunPlan(workload, mode: Mode.all[0])
        let given = try options.duration.map { try duration($0, "--duration") }
        base.durationNanoseconds = try given ?? duration(options.usualDuration, "--duration")
        base.warmupNanoseconds = try duration(options.warmup, "--warmup", zero: true)
        base.loop.seed = seed
        var candidates = try workload == .wake ? options.wakePlans(base) : options.networkPlans(base)
        if given == nil {
            let deepest = Question.deepestPercentile(for: candidates.map { RunRecord($0) })
            for index in candidates.indices { candidates[index].lengthen(forPercentile: deepest) }
        }

        var seen: Set<Arm> = []
        let different = candidates.filter { seen.insert(Arm(RunRecord($0))).inserted }
        let plans = different.filter { $0.mistake == nil }
        notes = different.compactMap(\.mistake).uniqued
        // Of "all" and of what was named together, something must be possible; the rest is left out and said.
        guard !plans.isEmpty else { throw Failure(.usage, notes.first ?? "nothing to run") }
        // Each mode gets its part of the options that the modes were given together.
        self.plans = plans.filter { options.only == nil || $0.name == options.only }
    }
}

extension RunOptions {
    /// The topologies of a plan: those that were named, or of all and none those that it can have.
    func topologies(possible: [Topology]) throws -> [Topology] {
        guard let topology else { return [possible[0]] }
        return topology == "all" ? possible : try choices(topology, option: "topology")
    }

    func placement(workers: Int, clients: Int, by agent: AgentClient? = nil) throws -> Placement {
        if let agent, pin != "same" { return try placement(workers: workers, clients: clients, by: agent) }
        if pin == "none" { return .unpinned }
        // The clients are elsewhere.
        if pin == "auto", hosts.loadHosts != nil {
            return Placement(workers: Array(Affinity.available().prefix(workers)), clients: [])
        }
        if pin == "auto" { return .automatic(workers: workers, clients: clients) }
        guard pin != "same" else {
            throw Failure(.usage, "--pin same belongs to --workload wake; the workload is \(workload)")
        }
        let available = Affinity.available()
        // Each side needs a processor of its own; a timer has one side.
        let fewest = clients == 0 ? 1 : 2
        guard let processors = processors(pin, of: available), processors.count >= fewest else {
            throw Failure(
                .usage,
                "--pin takes auto, none, or at least \(fewest == 1 ? "one" : "two") of the processors \(available), not "
                    + "'\(pin)'"
                    + didYouMean(pin, among: ["auto", "none"]))
        }
        let clientCount = min(clients, processors.count - 1)
        return Placement(
            workers: Array(processors.dropLast(clientCount)), clients: Array(processors.suffix(clientCount)))
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

extension RunPlan {
    fileprivate var mistake: String? { workload == .wake ? wakeMistake : networkMistake }
}
