import Foundation
import Meters
import Records
import Loops
import Reports
import Runs

/// `bench check --update`: measures and stores what later programs are compared with.
struct BaselineUpdate {
    let baseline: Baseline
    let countsOnly: Bool
    let seed: UInt64?
    let quiet: Bool

    /// Stores the workload that the options name, or every workload.
    ///
    /// The old baseline stays whole until everything new has been measured.
    func run(_ given: [String]) throws {
        let plans = try (given.isEmpty ? Workload.allCases.map(defaults) : [given]).map(checked)
        try? FileManager.default.removeItem(atPath: scratch)
        for (arguments, options) in plans { try measure(arguments, options) }
        try moveIntoPlace(plans.map(\.options.workload))
        print("Baseline: \(baseline.path)")
    }

    /// Counts are taken with one connection, where the schedule of the threads has no part in them.
    private func defaults(_ workload: Workload) -> [String] {
        // A ping-pong has no connections, and no multishot request to wait with.
        let isWake = workload == .wake
        let modes =
            countsOnly
            ? (workload == .datagram ? "everything" : "all,interest-set,descriptor-ring")
            : "blocking,epoll-lt,epoll-et," + (isWake ? "uring-single" : "uring-multishot")
        return ["--workload", workload.rawValue, "--mode", modes]
            + (countsOnly && !isWake ? ["--connections", "1"] : [])
            + (countsOnly
                ? ["--rounds", "3", "--duration", "80ms", "--warmup", "10ms"]
                : ["--rounds", "10", "--duration", "200ms", "--warmup", "50ms"])
    }

    /// Checks all options before the first run.
    private func checked(_ arguments: [String]) throws -> (arguments: [String], options: RunOptions) {
        let options = try RunOptions.typed(arguments)
        _ = try Arms(options, seed: 1)
        return (arguments, options)
    }

    private var scratch: String { baseline.path + "/.new" }

    private func measure(_ arguments: [String], _ options: RunOptions) throws {
        let path = "\(scratch)/\(options.workload)"
        let rows = try measureAgain(arguments, options, seed: seed, output: path, quiet: quiet).rows
        if RunSession.lastTries(rows).contains(where: { $0.status == .failed || $0.status == .void }) {
            throw Failure(.runFailed, "a run failed, so the baseline stays as it was; the rows in \(path) say why")
        }
        if countsOnly { try complainOfUnsteady(rows, options.workload) }
    }

    /// Complains of counts that will not gate by a small change.
    private func complainOfUnsteady(_ rows: [RunRecord], _ name: String) throws {
        var options = ComparisonOptions(design: .unpaired)
        (options.gating, options.metrics) = (BaselineCheck.counts, [])
        options.comparesSteadyCountsOnly = true
        options.modeOrder = Mode.every.map(\.name)
        for phrase in Omission.phrases(try Comparison.of(base: rows, new: rows, options).omissions) {
            complain("\(name): these counts will gate only where they lie clearly apart, since \(phrase)")
        }
    }

    /// Copies this program next to its numbers, and then moves both, which needs no space.
    private func moveIntoPlace(_ workloads: [String]) throws {
        let manager = FileManager.default
        if !countsOnly, (try? manager.copyItem(atPath: ownProgram, toPath: scratch + "/bench")) == nil {
            throw Failure(.usage, "this program cannot be copied to \(scratch), so the baseline stays as it was")
        }
        for name in workloads + (countsOnly ? [] : ["bench"]) {
            let final = "\(baseline.path)/\(name)"
            do {
                if manager.fileExists(atPath: final) { try manager.removeItem(atPath: final) }
                try manager.moveItem(atPath: "\(scratch)/\(name)", toPath: final)
            } catch {
                throw Failure(.usage, "\(final) cannot be written; what is new is in \(scratch)")
            }
        }
        try? manager.removeItem(atPath: scratch)
    }
}

/// Runs in this process what `arguments` ask for; its folder is complete when this returns.
func measureAgain(
    _ arguments: [String], _ options: RunOptions, seed: UInt64?, output: String, quiet: Bool
) throws -> StoredFolder {
    var options = options
    (options.output, options.quiet) = (output, quiet)
    let session = try RunSession(options, seed: seed, arguments: ["run"] + arguments)
    let rows = try session.run()
    if session.interrupted && !quiet { printWholeRuns(rows) }
    if session.interrupted { throw Failure(.interrupted, "interrupted; nothing was compared or stored") }
    return try StoredFolder(output)
}
