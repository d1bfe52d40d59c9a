import Foundation
import Histogram
import Meters
import Records
import Workloads

/// One invocation of `bench run`: rounds of runs in seeded random order, each written down as it ends.
final class RunSession {
    let folder: ResultFolder
    private(set) var interrupted = false

    private let options: RunOptions
    private let plans: [RunPlan]
    private let seed: UInt64
    private let interruption: Interruption
    private let counting: KernelCounting
    private let rings = RingSupport.probe()
    private let topology = ProcessorTopology.read()
    /// What was said in the rows of where threads ran, and is said once more at the end.
    private var placementWarnings: [PlacementWarning] = []
    private let progress: ProgressBar
    private let started: Date
    private var description: RunDescription
    private var runCount = 0

    /// An overflow of the accept queue is bad luck at first, and a fault of the set-up after that.
    private static let triesAfterOverflow = 3

    /// Begins an invocation in a new folder.
    ///
    /// - Parameter arguments: what would make the same plans again; goes into `run.json`.
    init(
        _ options: RunOptions, _ plans: [RunPlan], seed: UInt64, machine: MachineFacts,
        arguments: [String] = Array(CommandLine.arguments.dropFirst())
    ) throws {
        self.options = options
        self.plans = plans
        self.seed = seed
        interruption = try Interruption(endsAtSecondSignal: true)
        counting = KernelCounting(wanted: !options.noKernelCounts)
        started = Date()
        let name = options.output ?? ResultFolder.freshName(builtCommit, at: started)
        folder = try ResultFolder(path: name, startedAt: started)
        description = RunDescription(
            schemaVersion: RunRecord.currentSchemaVersion, startedAt: started.formatted(.iso8601),
            arguments: arguments, seed: seed, build: Build.name, gitCommit: builtCommit, machine: machine, order: [],
            warnings: [], doctor: Self.doctor(plans, rounds: options.rounds), interrupted: false)
        progress = ProgressBar(total: plans.count * options.rounds, isShown: Terminal.showsProgress && !options.quiet)
        try folder.replace("run.json", description.json())
    }

    /// What would spoil these runs. Others are watched before the load begins, for 0.2 s, which are 20 ticks; a single
    /// run, as a comparison starts many of, has its own `foreign_cpu`.
    private static func doctor(_ plans: [RunPlan], rounds: Int) -> [Diagnosis] {
        var state = MachineState.read(watchingFor: plans.count * rounds > 1 ? 0.2 : nil)
        state.ringRefusal = RingSupport.probe().refusal
        if plans.count * rounds > 1 { state.tryCallCounter() }
        let places = plans.map(\.placement.description)
        state.pinning = places.contains("none") ? "none" : places.first
        return Diagnosis.all(state, build: Build.name)
    }

    /// Goes on with an interrupted invocation.
    init(_ options: RunOptions, _ plans: [RunPlan], resuming folder: ResultFolder, _ description: RunDescription) throws
    {
        self.options = options
        self.plans = plans
        self.folder = folder
        self.description = description
        self.description.order = []
        seed = description.seed
        started = Timestamp(description.startedAt).map { Date(timeIntervalSince1970: $0.secondsSince1970) } ?? Date()
        runCount = folder.rows.count
        progress = ProgressBar(total: plans.count * options.rounds, isShown: Terminal.showsProgress && !options.quiet)
        interruption = try Interruption(endsAtSecondSignal: true)
        counting = KernelCounting(wanted: !options.noKernelCounts)
    }

    /// Runs everything that has not run yet and returns all rows.
    func run() throws -> [RunRecord] {
        defer { progress.clear() }
        if let warning = counting.warning, !description.warnings.contains(warning) {
            warn(warning, quietly: options.quiet)
        }
        let done = folder.rows.filter { $0.status != .partial && $0.status != .void }.map(Place.init)
        let finished = Set(done)
        let orders = blockOrders(arms: plans.count, blocks: options.rounds, seed: seed)
        rounds: for (round, places) in zip(1..., orders) {
            let order = places.map { plans[$0] }
            description.order.append(order.map(\.mode.name))
            for (index, plan) in order.enumerated() where !finished.contains(Place(round: round, order: index + 1)) {
                try runUntilValid(plan, round: round, order: index + 1)
                if interrupted || interruption.isRequested {
                    interrupted = true
                    break rounds
                }
            }
        }
        let rows = try folder.finish(interrupted: interrupted)
        description.finishedAt = Date().formatted(.iso8601)
        description.interrupted = interrupted
        let found = warnings(for: inModeOrder(rows), noiseFloor: Baseline.noiseFloor(for: description.machine))
        // Of a placement there is advice too.
        let others = found.filter { warning in !placementWarnings.contains { warning.contains($0.text) } }
        for warning in others where !description.warnings.contains(warning) {
            warn(warning, quietly: options.quiet)
        }
        for warning in placementWarnings { warn("\(warning.text): \(warning.advice)", quietly: options.quiet) }
        try folder.replace("run.json", description.json())
        return inModeOrder(rows)
    }

    /// Of several tries at the same combination in the same round, the last.
    static func lastTries(_ rows: [RunRecord]) -> [RunRecord] {
        let last = Dictionary(rows.indices.map { (Place(rows[$0]), $0) }) { $1 }
        return last.values.sorted().map { rows[$0] }
    }

    private func runUntilValid(_ plan: RunPlan, round: Int, order: Int) throws {
        let done = (round - 1) * plans.count + order - 1
        progress.show(done: done, doing: "\(plan.mode.name), round \(round) of \(options.rounds)")
        for attempt in 1...Self.triesAfterOverflow {
            let record = try runOnce(plan, round: round, order: order)
            if record.status == .failed { warn("\(plan.mode.name), round \(round): \(record.reason)") }
            guard record.status == .void, !interrupted else { return }
            let next = attempt < Self.triesAfterOverflow ? "; running it again" : "; giving up after \(attempt) tries"
            warn("\(plan.mode.name), round \(round) is void: \(record.reason)\(next)")
        }
    }

    private func runOnce(_ plan: RunPlan, round: Int, order: Int) throws -> RunRecord {
        let begin = Date()
        runCount += 1
        var record = newRecord(plan, round: round, order: order, begin: begin)
        for warning in plan.placementWarnings(topology) { note(warning, in: &record) }
        var latencies = Histogram<UInt64>(highestTrackableValue: 2)
        var calls: [CallRow] = []
        if let reason = plan.refusal ?? plan.unsupportedReason(rings: rings) {
            record.status = .unsupported
            record.reason = reason
        } else {
            do {
                defer { RunLimit.end() }
                RunLimit.begin(
                    seconds: 60 + 2 * plan.longestSeconds,
                    "\(plan.workload.rawValue), \(plan.mode.name), round \(round)", folder.path)
                let measurement = try measure(plan, interruption)
                measurement.fill(&record)
                if let warning = measurement.warning(plan) { record.addWarning(warning) }
                latencies = measurement.latencies
                calls = counting.count(plan, into: &record, interruption)
            } catch {
                record.status = error.isUnsupported ? .unsupported : .failed
                record.reason = error.description
            }
        }
        if record.status == .partial { interrupted = true }
        try folder.append(record, latencies, calls, startSeconds: begin.timeIntervalSince(started))
        return record
    }

    private func note(_ warning: PlacementWarning, in record: inout RunRecord) {
        record.addWarning(warning.text)
        if !placementWarnings.contains(warning) { placementWarnings.append(warning) }
    }

    private func newRecord(_ plan: RunPlan, round: Int, order: Int, begin: Date) -> RunRecord {
        var rate: Double?
        var drain: Int?
        switch plan.load {
        case .closedLoop: break
        case .openLoop(let perSecond): rate = perSecond
        case .drain(let count): drain = count
        }
        let stamp = started.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
        var record = RunRecord(
            runId: "\(stamp)-\(runCount)", startedAt: begin.formatted(.iso8601),
            gitCommit: description.gitCommit, machineId: description.machine.machineID, build: Build.name,
            workload: options.workload, mode: plan.mode.name, topology: plan.topology.rawValue,
            listener: plan.listener.rawValue, workers: plan.workerThreads, connections: plan.connections,
            messageSizeBytes: [.crr, .read].contains(plan.workload) ? plan.messageBytes : nil,
            depth: plan.workload == .read ? plan.depth : nil, ratePerS: rate,
            serviceTime: plan.service.description, pinning: plan.placement.description, round: round,
            orderInRound: order, implementation: plan.implementation.rawValue,
            close: [.accept, .crr].contains(plan.workload) ? plan.close.rawValue : "",
            rearm: plan.mode.mechanism == .epollOneShot ? plan.rearm.rawValue : "",
            service: plan.service == .none ? "" : plan.service.work.rawValue, clients: plan.clients, drain: drain,
            seed: seed)
        record.idle = plan.workload == .read ? plan.idle : nil
        record.spacing = rate == nil ? "" : plan.spacing.rawValue
        if plan.workload == .wake { plan.wake.describe(plan, in: &record) }
        return record
    }

    private func warn(_ message: String, quietly: Bool = false) {
        progress.clear()
        description.warnings.append(message)
        if !quietly { complain(message) }
    }

    /// Which run of an invocation a row is of.
    private struct Place: Hashable {
        let round: Int
        let order: Int

        init(round: Int, order: Int) {
            self.round = round
            self.order = order
        }

        init(_ record: RunRecord) { self.init(round: record.round, order: record.orderInRound) }
    }
}
