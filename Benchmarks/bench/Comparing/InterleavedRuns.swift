import Foundation
import Histogram
import Records
import Reports
import Runs
import Statistics

/// Runs programs in blocks: each block holds every mode of every program once, in seeded random order, each in a
/// process of its own. What one program measured is an ordinary result folder named after its side.
final class InterleavedRuns {
    /// Holds `compare.json` and a folder for each side.
    let path: String
    private(set) var plan: InterleavedPlan

    private let folders: [ResultFolder]
    /// What each mode runs, in one process.
    private let arms: [String: [RunPlan]]
    private let interruption: Interruption
    private let isQuiet: Bool

    private struct Trial: Hashable {
        let side: Int
        let mode: String
    }

    /// - Parameter resuming: whether the folder is there, of an interrupted invocation.
    init(_ plan: InterleavedPlan, path: String, quiet: Bool, resuming: Bool = false) throws {
        self.plan = plan
        self.path = path
        isQuiet = quiet
        arms = try plan.arms()
        interruption = try Interruption(endsAtSecondSignal: true)
        for binary in Set(plan.sides.map(\.binary)).sorted() where binary != ownProgram {
            try ChildRun.checkIsBench(binary, interruption)
        }
        let now = Date()
        // The outer folder is checked like any other output.
        let outer = try resuming ? nil : ResultFolder.create(path)
        folders = try plan.sides.map { side in
            let folder = "\(path)/\(side.name)"
            return try resuming ? ResultFolder(resuming: folder) : ResultFolder(path: folder, startedAt: now)
        }
        (self.plan.order, self.plan.interrupted) = ([], false)
        try outer?.replace("compare.json", plan.storedJSON())
    }

    convenience init(resuming path: String, quiet: Bool) throws {
        try self.init(InterleavedPlan.read(folder: path), path: path, quiet: quiet, resuming: true)
    }

    var rows: [[RunRecord]] { folders.map(\.rows) }

    var title: String { "Base: \(plan.sides[0].subject)\nNew:  \(plan.sides[1].subject)\nRuns: \(path)" }

    /// Prints on standard error what weakens the runs.
    func complain(noiseFloor: NoiseFloor?) {
        var said: Set<String> = []
        for (side, rows) in zip(plan.sides, rows) {
            complainOfUnusable(rows, side: side.name)
            for warning in warnings(for: inModeOrder(rows), noiseFloor: noiseFloor) where said.insert(warning).inserted
            {
                bench.complain(warning)
            }
        }
    }

    func runAll() throws -> [RunRecord] {
        guard try run(blocks: 1...plan.blocks, modes: plan.modes) else {
            throw Failure(.interrupted, "interrupted; nothing was stored, the runs are in \(path)")
        }
        return rows.flatMap { $0 }
    }

    /// Runs the blocks of `range` that have not run yet, `modes` only, and returns false if it was interrupted.
    func run(blocks range: ClosedRange<Int>, modes: [String]) throws -> Bool {
        let trials = plan.modes.flatMap { mode in plan.sides.indices.map { Trial(side: $0, mode: mode) } }
        let orders = blockOrders(arms: trials.count, blocks: range.upperBound, seed: plan.seed)
        let progress = ProgressBar(total: range.count * modes.count * plan.sides.count, quiet: isQuiet)
        defer { progress.clear() }
        var done = 0
        for block in range {
            let order = orders[block - 1].map { trials[$0] }.filter { modes.contains($0.mode) }
            plan.order.append(order.map { "\(plan.sides[$0.side].name)/\($0.mode)" })
            var place = 0
            for trial in order {
                progress.show(done: done, doing: "\(trial.mode), block \(block) of \(range.upperBound)")
                done += 1
                defer { place += arms[trial.mode]?.count ?? 1 }
                if hasRun(trial, block: block) { continue }
                if try !run(trial, block: block, after: place) {
                    try finish(interrupted: true)
                    progress.clear()
                    showWholeRuns(of: "block \(block) of \(range.upperBound)")
                    return false
                }
            }
        }
        try finish(interrupted: false)
        return true
    }

    private func hasRun(_ trial: Trial, block: Int) -> Bool {
        folders[trial.side].rows.contains {
            $0.round == block && $0.mode == trial.mode && $0.status != .partial && $0.status != .void
        }
    }

    /// Prints what was measured before the user stopped it. Half a comparison has no verdict.
    private func showWholeRuns(of place: String) {
        guard !isQuiet else { return }
        print("Interrupted in \(place).")
        for (side, rows) in zip(plan.sides, rows) {
            printWholeRuns(rows, heading: "\n\(side.name), \(side.subject):")
        }
    }

    private func finish(interrupted: Bool) throws {
        plan.interrupted = interrupted
        for folder in folders { _ = try folder.finish(interrupted: interrupted) }
        try storePlan()
    }

    private func storePlan() throws {
        try ResultFolder(path: path, rows: []).replace("compare.json", plan.storedJSON())
    }

    /// Seconds that a process with all arms of a mode may take: a minute to start, and each arm as long as it can take
    /// with three tries at a run that is void and as many counting runs. A search is many runs.
    private func limit(_ mode: String) -> Double {
        60
            + arms[mode, default: []].map {
                ($0.objective == nil ? 6 : 6 * Double(CapacityRun.mostRuns)) * $0.longestSeconds
            }
            .reduce(0, +)
    }

    /// Stores which files the servers write as soon as one has run, for an invocation that is killed.
    private func noteWritten() throws {
        let before = plan.sides
        for side in plan.sides.indices { plan.sides[side].forgetWritten() }
        if plan.sides != before { try storePlan() }
    }

    /// One process; false if the user wants to stop.
    private func run(_ trial: Trial, block: Int, after place: Int) throws -> Bool {
        let scratch = path + "/running"
        try? FileManager.default.removeItem(atPath: scratch)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        // Both sides of a block draw the same service times and arrivals.
        let seed = plan.seed &+ UInt64(block)
        let selection = plan.modes.count > 1 ? ["--only", trial.mode] : []
        let blockOptions = ["--rounds", "1", "--seed", "\(seed)", "--output", scratch, "--quiet"]
        let binary = plan.sides[trial.side].binary
        defer { try? noteWritten() }
        guard !interruption.isRequested,
            let (code, message) = try ChildRun.run(
                binary, ["run"] + plan.arguments(of: plan.sides[trial.side]) + selection + blockOptions,
                limit: limit(trial.mode), interruption)
        else { return false }
        let known = [Exit.fine, .runFailed, .nothingSupported].map(\.rawValue)
        guard known.contains(code), FileManager.default.fileExists(atPath: scratch + "/runs.csv") else {
            let exit =
                Exit(rawValue: code).flatMap { [.usage, .nothingSupported].contains($0) ? $0 : nil } ?? .runFailed
            throw Failure(exit, "\(binary) ended with exit code \(code) in mode \(trial.mode): \(message)")
        }
        try keep(scratch, of: trial.side, block: block, after: place, message: message)
        return true
    }

    /// Takes the rows and latencies of a process over, renumbered to its block.
    private func keep(_ scratch: String, of side: Int, block: Int, after place: Int, message: String) throws {
        let folder = folders[side]
        if folder.rows.isEmpty {
            var description = try RunDescription.read(folder: scratch)
            description.arguments = ["run"] + plan.arguments(of: plan.sides[side])
            description.seed = plan.seed
            try folder.replace("run.json", description.storedJSON())
        }
        try ServerLogs.move(from: scratch, to: folder.path)
        let stored = try StoredFolder(scratch)
        guard !stored.rows.isEmpty else {
            throw Failure(.runFailed, "\(plan.sides[side].binary) ended without a row: \(message)")
        }
        let calls = Dictionary(grouping: try stored.calls(), by: \.runId)
        let steps = Dictionary(grouping: try stored.capacitySteps(), by: \.runId)
        let latencies = Dictionary(try stored.histograms().map { ($0.0.runId, $0.1) }) { first, _ in first }
        for row in stored.rows {
            var kept = row
            kept.runId = "\(plan.sides[side].name)-\(folder.rows.count + 1)"
            kept.round = block
            kept.orderInRound = place + row.orderInRound
            kept.seed = plan.seed
            let empty = Histogram<UInt64>(highestTrackableValue: 2)
            let counted = calls[row.runId, default: []].map {
                CallRow(runId: kept.runId, syscall: $0.syscall, callsPerOp: $0.callsPerOp)
            }
            let searched = steps[row.runId, default: []].map { step in
                var step = step
                step.runId = kept.runId
                return step
            }
            try folder.append(kept, latencies[row.runId] ?? empty, counted, searched, startSeconds: folder.age)
        }
    }
}
