import ArgumentParser
import Foundation
import Meters
import Records
import Reports
import Synchronization

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
        Build.warnIfDebug()
        let machine = MachineFacts.read()
        let baseline = baseline.map(Baseline.init(path:)) ?? Baseline(machineID: machine.machineID)
        let path = output ?? ResultFolder.freshName("calibrate")
        guard runOptions.isEmpty else {
            try calibrate(runOptions, machine, baseline, path: path)
            return say("Noise floor: \(baseline.noiseFloorFile)")
        }
        for workload in Workload.allCases.map(\.rawValue) {
            let options = ["--workload", workload, "--mode", "all", "--duration", "150ms", "--warmup", "50ms"]
            try calibrate(options, machine, baseline, path: "\(path)/\(workload)")
        }
        say("Noise floor: \(baseline.noiseFloorFile)")
    }

    private func calibrate(
        _ options: [String], _ machine: MachineFacts, _ baseline: Baseline, path: String
    ) throws {
        let seed = seed ?? freshSeed()
        let plan = try InterleavedPlan(
            binaries: [ownProgram, ownProgram], arguments: options, seed: seed, blocks: blocks)
        let runs = try InterleavedRuns(plan, path: path, quiet: quiet)
        let rows = try runs.runAll()
        runs.complain(noiseFloor: nil)
        // Beside as many spinning threads as there are processors, which tell the counts that load changes; three blocks
        // show that a count is steady.
        let loadedPlan = try InterleavedPlan(binaries: [ownProgram], arguments: options, seed: seed, blocks: 3)
        let loadedRuns = try InterleavedRuns(loadedPlan, path: path + "/loaded", quiet: quiet)
        let spinners = Spinners(ProcessInfo.processInfo.activeProcessorCount)
        let loaded = try loadedRuns.runAll()
        spinners.end()
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

    /// Prints the floors of the metrics that decide, and their drift.
    private func show(_ floor: NoiseFloor) {
        let metrics = ["server_cpu_ns_per_op", "throughput_ops_per_s", "latency_p99_ns"]
        let width = floor.entries.map(\.mode.count).max() ?? 0
        for arm in floor.entries.map({ [$0.workload, $0.mode] }).uniqued {
            let values = metrics.compactMap { metric in
                floor.entries.first { [$0.workload, $0.mode, $0.metric] == arm + [metric] }
            }.map {
                let drift = $0.drift.map { ", drift \(Decimal.fixed(100 * $0, digits: 1)) %" } ?? ""
                return "\($0.metric) \(Decimal.fixed(100 * $0.floor, digits: 1)) %" + drift
            }
            let name = pad(arm[1], to: width, .left)
            say(values.joined(separator: "  "), after: "\(arm[0])  \(name)  ")
        }
    }
}

/// Threads that keep processors busy until `end()`, or the end of the process.
private final class Spinners: Sendable {
    private let isWanted = Atomic(true)

    init(_ count: Int) {
        for _ in 0..<count {
            Thread { [self] in while isWanted.load(ordering: .relaxed) {} }.start()
        }
    }

    func end() { isWanted.store(false, ordering: .relaxed) }
}
