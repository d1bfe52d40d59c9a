import Foundation
import Histogram
import Load
import Meters
import Records
import Loops
import Reports
import Runs
import Servers
import Statistics

/// One invocation of `bench run`: rounds of runs in seeded random order, each written down as it ends.
final class RunSession {
    let folder: ResultFolder
    private(set) var interrupted = false
    /// Why the agent or a load host cannot be reached any more; nil if they can.
    private(set) var agentLoss: String?

    let options: RunOptions
    private let arms: Arms
    let interruption: Interruption
    private let counting: KernelCounting
    private let rings = RingSupport.probe()
    private let topology = ProcessorTopology.read()
    /// The warnings in the rows about where threads ran, which are repeated at the end.
    private var placementWarnings: [PlacementWarning] = []
    private let progress: ProgressBar
    private let started: Date
    private var description: RunDescription
    private var runCount: Int

    /// A single overflow of the accept queue may be chance; repeated ones are a fault of the set-up.
    private static let triesAfterOverflow = 3

    /// - Parameter folder: what was written before is not run again.
    init(
        _ options: RunOptions, _ arms: Arms, _ folder: ResultFolder, _ description: RunDescription, started: Date,
        _ interruption: Interruption
    ) {
        self.options = options
        self.arms = arms
        self.folder = folder
        self.description = description
        self.started = started
        self.interruption = interruption
        runCount = folder.rows.count
        counting = KernelCounting(
            wanted: !options.noKernelCounts, others: arms.plans.contains { $0.mode == nil },
            agent: arms.plans.first?.agent)
        progress = ProgressBar(total: arms.plans.count * options.rounds, quiet: options.quiet)
    }

    var notes: [String] { arms.notes }

    var plans: [RunPlan] { arms.plans }

    /// Whether the user wants an end.
    var isAskedToEnd: Bool { interruption.isRequested }

    /// Runs everything that has not run yet and returns all rows.
    func run() throws -> [RunRecord] {
        let orders = blockOrders(arms: arms.plans.count, blocks: options.rounds, seed: description.seed)
        return try run { round, _ in round <= orders.count ? orders[round - 1] : nil }
    }

    /// Runs rounds, those that have run already left out, and returns all rows.
    ///
    /// - Parameter next: the plans of a round, by their numbers and in their order, from the number of the round, from 1,
    ///   and all rows so far; nil if there is none.
    func run(_ next: (_ round: Int, _ rows: [RunRecord]) -> [Int]?) throws -> [RunRecord] {
        defer { progress.clear() }
        try gatherHosts()
        defer { loadHosts?.end() }
        if let warning = counting.warning { warnOnce(warning) }
        if let warning = arms.plans.first?.agent?.buildWarning { warnOnce(warning) }
        for plan in arms.plans {
            guard case .external(let server, _) = plan.plan, server.origin == .running(process: nil) else { continue }
            warnOnce("\(server.name): what it uses is not known; name its process with --pid")
        }
        let done = folder.rows.filter { $0.status != .partial && $0.status != .void }.map(Place.init)
        let finished = Set(done)
        var round = 0
        rounds: while let places = next(round + 1, folder.rows) {
            round += 1
            let order = places.map { arms.plans[$0] }
            description.order.append(order.map(\.name))
            for (index, plan) in order.enumerated() where !finished.contains(Place(round: round, order: index + 1)) {
                try runUntilValid(plan, Place(round: round, order: index + 1))
                if interrupted || interruption.isRequested {
                    interrupted = true
                    break rounds
                }
                if agentLoss != nil { break rounds }
            }
        }
        let rows = inModeOrder(try folder.finish(interrupted: interrupted || agentLoss != nil))
        description.finishedAt = Date().formatted(.iso8601)
        description.interrupted = interrupted || agentLoss != nil
        let machine = description.machine
        let floor = NoiseFloors.find(machineID: machine.machineID, kernel: machine.kernel, complains: false)
        let found = warnings(for: rows, noiseFloor: floor)
        // Those of a placement are said below, with advice.
        let others = found.filter { warning in !placementWarnings.contains { warning.contains($0.text) } }
        for warning in others { warnOnce(warning) }
        for warning in placementWarnings { warn("\(warning.text): \(warning.advice)", quietly: options.quiet) }
        try folder.replace("run.json", description.storedJSON())
        return rows
    }

    /// Stores what the runs answer, and the claims that it rests on.
    func store(answer: [String], claims: [ClaimRecord]) throws {
        if !claims.isEmpty {
            try folder.replace("claims.csv", ClaimRecord.csvHeader + claims.map { $0.csvRow() }.joined())
        }
        description.answer = answer
        try folder.replace("run.json", description.storedJSON())
    }

    /// Of several tries at the same combination in the same round, the last.
    static func lastTries(_ rows: [RunRecord]) -> [RunRecord] {
        let last = Dictionary(rows.indices.map { (Place(rows[$0]), $0) }) { $1 }
        return last.values.sorted().map { rows[$0] }
    }

    private func runsBefore(_ place: Place) -> Int { (place.round - 1) * arms.plans.count + place.order - 1 }

    private func runUntilValid(_ plan: RunPlan, _ place: Place) throws {
        let name = "\(plan.name), round \(place.round)"
        progress.show(done: runsBefore(place), doing: "\(name) of \(options.rounds)")
        for attempt in 1...Self.triesAfterOverflow {
            // A connection that was lost is made anew once, before a run that would fail for nothing else.
            do throws(RunError) {
                try plan.agent?.reconnect()
            } catch {
                agentLoss = error.description
                return
            }
            let record = try runOnce(plan, place)
            if let loss = plan.loadHosts?.loss {
                agentLoss = loss
                return
            }
            if record.status == .failed { warn("\(name): \(record.reason)") }
            guard record.status == .void, !interrupted else { return }
            let next = attempt < Self.triesAfterOverflow ? "; running it again" : "; giving up after \(attempt) tries"
            warn("\(name) is void: \(record.reason)\(next)")
        }
    }

    private func runOnce(_ plan: RunPlan, _ place: Place) throws -> RunRecord {
        let begin = Date()
        runCount += 1
        var record = newRecord(plan, place, begin: begin)
        for warning in plan.placementWarnings(topology) {
            record.addWarning(warning.text)
            if !placementWarnings.contains(warning) { placementWarnings.append(warning) }
        }
        var latencies = Histogram<UInt64>(highestTrackableValue: 2)
        var calls: [CallRow] = []
        var steps: [CapacityStep] = []
        if let reason = plan.refusal ?? plan.unsupportedReason(rings: rings) {
            record.status = .unsupported
            record.reason = reason
        } else {
            do {
                var plan = try located(plan)
                let measurement: Runs.Measurement
                if let objective = plan.objective {
                    let run = try searchCapacity(plan, objective, place, runId: record.runId)
                    (plan, measurement, steps) = (run.plan, run.measurement, run.steps)
                    record.capacityOpsPerS = run.capacity
                    if let warning = run.warning { record.addWarning(warning) }
                } else {
                    measurement = try limited(plan, place)
                }
                measurement.fill(&record, plan)
                if let warning = measurement.warning(plan) { record.addWarning(warning) }
                latencies = measurement.latencies
                calls = counting.count(plan, into: &record, interruption)
            } catch let error as RunError {
                record.status = error.isUnsupported ? .unsupported : .failed
                record.reason = error.description
            }
        }
        if record.status == .partial { interrupted = true }
        try folder.append(record, latencies, calls, steps, startSeconds: begin.timeIntervalSince(started))
        return record
    }

    /// Measures, within the time that such a run takes at the most.
    private func limited(_ plan: RunPlan, _ place: Place) throws(RunError) -> Runs.Measurement {
        defer { RunLimit.end() }
        RunLimit.begin(
            seconds: 60 + 2 * plan.longestSeconds, "\(plan.workload.rawValue), \(plan.name), round \(place.round)",
            folder.path)
        return try measure(plan, interruption)
    }

    /// Measures at one rate after another.
    private func searchCapacity(
        _ plan: RunPlan, _ objective: ServiceObjective, _ place: Place, runId: String
    ) throws(RunError) -> CapacityRun {
        try CapacityRun(plan, objective, runId: runId) { (plan) throws(RunError) in
            let rate = HumanUnits.count(plan.load.ratePerSecond ?? 0)
            progress.show(
                done: runsBefore(place),
                doing: "\(plan.name), round \(place.round) of \(options.rounds), at \(rate)/s")
            return try limited(plan, place)
        }
    }

    /// The plan whose server prints into the folder of results.
    private func located(_ plan: RunPlan) throws -> RunPlan {
        var plan = plan
        if plan.agent == nil, case .external(let server, _) = plan.plan, case .command = server.origin {
            plan.external.outputPath = try ServerLogs.path(of: server.name, in: folder.path)
        }
        return plan
    }

    private func newRecord(_ plan: RunPlan, _ place: Place, begin: Date) -> RunRecord {
        var record = RunRecord(plan)
        record.build = Build.name
        let stamp = started.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
        record.runId = "\(stamp)-\(runCount)"
        record.startedAt = begin.formatted(.iso8601)
        record.gitCommit = description.gitCommit
        record.machineId = description.machine.machineID
        if let hosts = plan.loadHosts {
            record.clientMachineIds = hosts.machineIDs.joined(separator: ";")
        } else if plan.agent != nil {
            record.clientMachineIds = description.machine.machineID
        }
        (record.round, record.orderInRound) = (place.round, place.order)
        return record
    }

    private func warn(_ message: String, quietly: Bool = false) {
        progress.clear()
        description.warnings.append(message)
        if !quietly { complain(message) }
    }

    /// Warns unless an earlier part of the invocation did; a quiet one has it in `run.json` alone.
    private func warnOnce(_ message: String) {
        if !description.warnings.contains(message) { warn(message, quietly: options.quiet) }
    }

    private struct Place: Hashable {
        let round: Int
        let order: Int

        init(round: Int, order: Int) { (self.round, self.order) = (round, order) }
        init(_ record: RunRecord) { self.init(round: record.round, order: record.orderInRound) }
    }
}
