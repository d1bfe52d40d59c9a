import ArgumentParser
import Foundation
import Meters
import Records
import Synchronization
import Workloads

/// `bench calibrate`: how far identical code seems to differ from itself on this machine.
struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Compares this program with itself and stores the noise floor of this machine.",
        discussion: """
            Runs every mode twice in each block, as bench compare --binaries would run two programs, then a few times \
            beside processors that it keeps busy. compare and check take the floor as their margin until the kernel \
            changes; for what was not measured interleaved they take the drift from block to block, and count exactly \
            only what load does not change. What is calibrated later replaces the same workload and mode only.
            """)

    @Option(help: "Blocks, each holding every mode twice; at least 6, which give 95 %.")
    var blocks = 20

    @Option(help: "Seed of the order; random if not given.")
    var seed: UInt64?

    @Option(help: "Folder for the runs; results/<time>-calibrate if not given.")
    var output: String?

    @Option(help: "Folder for noise-floor.json; results/baseline/<machine> if not given.")
    var baseline: String?

    @Flag(help: "No progress.")
    var quiet = false

    @Argument(parsing: .postTerminator, help: "Options of bench run; every workload with all its modes if not given.")
    var runOptions: [String] = []

    func run() throws {
        guard blocks >= 6 else {
            throw Failure(.usage, "--blocks takes 6 or more: fewer cannot give an interval of 95 %")
        }
        warnOfDebugBuild()
        let machine = MachineFacts.read()
        let baseline = baseline.map(Baseline.init(path:)) ?? Baseline(machine: machine)
        let path = output ?? ResultFolder.freshName("calibrate")
        let plans = runOptions.isEmpty ? Self.everything : [("", runOptions)]
        for (name, options) in plans {
            try calibrate(options, machine, baseline, path: name.isEmpty ? path : "\(path)/\(name)")
        }
        say("Noise floor: \(baseline.noiseFloorFile)")
    }

    private static var everything: [(String, [String])] {
        Workload.allCases.map { workload in
            let options = ["--workload", workload.rawValue, "--mode", "all", "--duration", "150ms", "--warmup", "50ms"]
            return (workload.rawValue, options)
        }
    }

    private func calibrate(
        _ options: [String], _ machine: MachineFacts, _ baseline: Baseline, path: String
    ) throws {
        let seed = seed ?? UInt64.random(in: 1...UInt64(Int32.max))
        let sides = try ["base", "new"].map { try InterleavedPlan.Side(name: $0, binary: ownProgram) }
        let plan = try InterleavedPlan(sides: sides, arguments: options, seed: seed, blocks: blocks, maxBlocks: blocks)
        let runs = try InterleavedRuns(plan, path: path, quiet: quiet)
        guard try runs.run(blocks: 1...blocks, modes: plan.modes) else {
            throw Failure(.interrupted, "interrupted; nothing was stored, the runs are in \(path)")
        }
        runs.complain(noiseFloor: nil)
        let rows = runs.rows.flatMap { $0 }
        let loaded = try runLoaded(plan, path: path + "/loaded")
        var floor = NoiseFloor(
            runs: rows, loaded: loaded, kernel: machine.kernel, measuredAt: Date().formatted(.iso8601), seed: seed)
        guard !floor.entries.isEmpty else {
            throw Failure(.runFailed, "too few runs succeeded for a noise floor; the rows in \(path) say why")
        }
        show(floor)
        if let old = try? baseline.noiseFloor(), old.refusal(machineId: floor.machineId, kernel: floor.kernel) == nil {
            let fresh = Set(floor.entries.map { [$0.workload, $0.mode] })
            floor.entries += old.entries.filter { !fresh.contains([$0.workload, $0.mode]) }
        }
        try baseline.store(floor)
    }

    /// Runs beside as many spinning threads as there are processors, which tell the counts that load changes.
    private func runLoaded(_ calibrated: InterleavedPlan, path: String) throws -> [RunRecord] {
        let plan = try InterleavedPlan(
            sides: [calibrated.sides[0]], arguments: calibrated.arguments, seed: calibrated.seed,
            blocks: Self.loadedBlocks,
            maxBlocks: Self.loadedBlocks)
        let runs = try InterleavedRuns(plan, path: path, quiet: self.quiet)
        let spinners = Spinners(ProcessInfo.processInfo.activeProcessorCount)
        defer { spinners.end() }
        guard try runs.run(blocks: 1...Self.loadedBlocks, modes: plan.modes) else {
            throw Failure(.interrupted, "interrupted; nothing was stored, the runs are in \(path)")
        }
        return runs.rows.flatMap { $0 }
    }

    /// As many as show that a count is steady.
    private static let loadedBlocks = 3

    /// The floors of the metrics that decide, and the drift of the first.
    private func show(_ floor: NoiseFloor) {
        let metrics = ["server_cpu_ns_per_op", "throughput_ops_per_s", "latency_p99_ns"]
        let width = floor.entries.map(\.mode.count).max() ?? 0
        var seen: Set<[String]> = []
        for entry in floor.entries where seen.insert([entry.workload, entry.mode]).inserted {
            let values = metrics.compactMap { metric in
                floor.entries.first { $0.workload == entry.workload && $0.mode == entry.mode && $0.metric == metric }
                    .map {
                        let drift = $0.drift.map { ", drift \(Decimal.fixed(100 * $0, digits: 1)) %" } ?? ""
                        return "\(metric) \(Decimal.fixed(100 * $0.floor, digits: 1)) %" + drift
                    }
            }
            let name = entry.mode + String(repeating: " ", count: width - entry.mode.count)
            say(values.joined(separator: "  "), after: "\(entry.workload)  \(name)  ")
        }
    }
}

/// The program that is running.
var ownProgram: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
}

/// Threads that keep processors busy until they are told to end; they end with the process in any case.
private final class Spinners: Sendable {
    private let isWanted = Atomic(true)

    init(_ count: Int) {
        for _ in 0..<count {
            Thread { [self] in while isWanted.load(ordering: .relaxed) {} }.start()
        }
    }

    func end() { isWanted.store(false, ordering: .relaxed) }
}
