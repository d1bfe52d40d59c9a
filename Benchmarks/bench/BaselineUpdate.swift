import Foundation
import Meters
import Records
import Workloads

/// `bench check --update`: measures and stores what later programs are compared with.
struct BaselineUpdate {
    let baseline: Baseline
    let countsOnly: Bool
    let seed: UInt64?
    let quiet: Bool

    /// Stores the workload that the options name, or every workload.
    func run(_ given: [String]) throws {
        let plans = given.isEmpty ? Workload.allCases.map(defaults) : [given]
        for arguments in plans { try store(arguments) }
        if !countsOnly {
            try keepProgram()
        }
        print("Baseline: \(baseline.path)")
    }

    /// Counts are taken with one connection, where the schedule of the threads has no part in them.
    private func defaults(_ workload: Workload) -> [String] {
        ["--workload", workload.rawValue]
            + (countsOnly
                ? ["--mode", "all", "--connections", "1", "--rounds", "3", "--duration", "60ms", "--warmup", "20ms"]
                : [
                    "--mode", "blocking,epoll-lt,epoll-et,uring-multishot", "--rounds", "10", "--duration", "200ms",
                    "--warmup", "50ms",
                ])
    }

    private func store(_ arguments: [String]) throws {
        let options = try InterleavedPlan.runOptions(arguments)
        let scratch = "\(baseline.path)/\(options.workload).new"
        let final = "\(baseline.path)/\(options.workload)"
        let manager = FileManager.default
        try? manager.removeItem(atPath: scratch)
        let rows = try measureAgain(arguments, options, seed: seed, output: scratch, quiet: quiet)
        if hasFailedRuns(rows) {
            throw Failure(.runFailed, "a run failed, so the baseline stays as it was; the rows in \(scratch) say why")
        }
        do {
            if manager.fileExists(atPath: final) { try manager.removeItem(atPath: final) }
            try manager.moveItem(atPath: scratch, toPath: final)
        } catch {
            throw Failure(.usage, "\(final) cannot be written; the new baseline is in \(scratch)")
        }
    }

    /// Copies this program next to its numbers.
    private func keepProgram() throws {
        let manager = FileManager.default
        let aside = baseline.program + ".new"
        try? manager.removeItem(atPath: aside)
        do {
            try manager.copyItem(atPath: ownProgram, toPath: aside)
            if manager.fileExists(atPath: baseline.program) { try manager.removeItem(atPath: baseline.program) }
            try manager.moveItem(atPath: aside, toPath: baseline.program)
        } catch {
            throw Failure(.usage, "\(baseline.program) cannot be written")
        }
    }
}

/// Runs in this process what `arguments` ask for; their folder is complete when this returns.
func measureAgain(
    _ arguments: [String], _ options: RunOptions, seed: UInt64?, output: String, quiet: Bool
) throws -> [RunRecord] {
    var options = options
    options.output = output
    options.quiet = quiet
    let seed = seed ?? options.seed ?? UInt64.random(in: 1...UInt64(Int32.max))
    let arms = try Arms(options, seed: seed)
    let machine = MachineFacts.read()
    try Preflight.check(arms.plans, machine: machine)
    let session = try RunSession(options, arms.plans, seed: seed, machine: machine, arguments: ["run"] + arguments)
    let rows = try session.run()
    if session.interrupted { throw Failure(.interrupted, "interrupted; nothing was compared or stored") }
    return rows
}
