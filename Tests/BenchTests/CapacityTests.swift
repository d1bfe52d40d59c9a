import ArgumentParser
import Foundation
import Records
import Runs
import Statistics
import TestSupport
import Testing

@testable import bench

/// Searches for a rate, and sweeps, by the command as a user gives it.
@Suite(.serialized) struct CapacityTests {
    private static let short = ["--rounds", "1", "--duration", "100ms", "--warmup", "10ms", "--output", "out"]

    /// A second is enough for half of the operations until the server can do no more.
    @Test(arguments: ["read", "crr"]) func theHighestRateIsFoundAndItsStepsAreKept(_ workload: String) async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", workload, "--mode", "lt", "--slo", "p50=1s", "--connections", "8"] + Self.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let rows = try process.rows()
        let row = try #require(rows.first)
        #expect(rows.count == 1 && row.status == .ok && row.slo == "p50=1s" && row.ratePerS == nil)
        let capacity = try #require(row.capacityOpsPerS)
        #expect(capacity > 0)
        let steps = try CapacityStep.read(
            Array(process.text("out/capacity.csv").utf8), file: "capacity.csv", runs: rows)
        let confirmed = steps.filter { $0.kind == .confirmation && $0.ratePerS == capacity && $0.outcome == .held }
        // A search that comes back to a rate confirms it again.
        #expect(!confirmed.isEmpty && steps.filter { $0.kind == .confirmation }.allSatisfy { $0.durationS > 0.05 })
        let last = try #require(steps.last)
        #expect(steps.first?.ratePerS == 1000 && last.outcome != .held)
        #expect(abs(last.ratePerS / capacity - 1.1) < 0.001)
        #expect(outcome.output.contains("capacity") && outcome.output.contains("kept p50=1s"))
    }

    @Test func aBoundThatNothingKeepsIsACapacityOfNone() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--mode", "lt", "--slo", "p50=1ns", "--connections", "8"] + Self.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let row = try #require(try process.rows().first)
        #expect(row.status == .ok && row.capacityOpsPerS == 0 && row.operations > 0)
        #expect(row.warnings.contains("no rate held p50=1ns: the least p50 was "), "\(row.warnings)")
    }

    @Test func aServerThatCannotStartFails() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--server", "none=exec false {port}", "--slo", "p50=1s"] + Self.short)
        #expect(outcome.exit == 3)
        #expect(try process.rows().map(\.status) == [.failed])
    }

    @Test func comparisonsAreOfTheCapacity() async throws {
        let folder = try BenchFolder()
        func rows(capacity: Double, cost: Double) -> [RunRecord] {
            storedRows(cost: cost).map { row in
                var row = row
                (row.slo, row.capacityOpsPerS) = ("p99=1ms", capacity + Double(row.round))
                if row.latencyKind != nil { row.latencyKind = .fromScheduledStart }
                return row
            }
        }
        try folder.write("base", rows: rows(capacity: 50_000, cost: 5000))
        try folder.write("new", rows: rows(capacity: 20_000, cost: 4000))
        let outcome = try await folder.bench(["compare", "base", "new", "--drift", "0"])
        #expect(outcome.exit == 2, "\(outcome.output) \(outcome.complaints)")
        #expect(outcome.output.contains("capacity_ops_per_s") && !outcome.output.contains("server_cpu_ns_per_op"))
        let named = try await folder.bench(
            ["compare", "base", "new", "--drift", "0", "--fail-on", "server_cpu_ns_per_op"])
        #expect(named.exit == 3, "\(named.output) \(named.complaints)")
        try folder.write("plain", rows: storedRows())
        let plain = try await folder.bench(
            ["compare", "plain", "plain", "--drift", "0", "--fail-on", "capacity_ops_per_s"])
        #expect(plain.exit == 3, "\(plain.output) \(plain.complaints)")
    }

    @Test(arguments: [
        ([], 1), (["--slo", "p99=1ms"], 10),
        (["--slo", "p99=1ms", "--duration", "2s"], 2), (["--duration", "2s"], 2),
    ]) func aRateIsConfirmedForTenSecondsUnlessToldOtherwise(_ options: [String], _ seconds: Int) throws {
        let plans = try Arms(RunOptions.parse(["--workload", "read", "--mode", "lt"] + options), seed: 1).plans
        #expect(plans.map(\.durationNanoseconds) == [UInt64(seconds) * 1_000_000_000])
    }

    /// The race repeats a search, so that short ones do; what a scenario gives longer ones needs them.
    @Test(arguments: [("keep-alive", "400ms"), ("mostly-idle", "400ms"), ("slow-requests", "1s")])
    func aChoiceKeepsItsLongerRuns(_ name: String, _ duration: String) throws {
        let arguments = try Scenario.named(name).arguments([("--slo", "p99=1ms")])
        #expect(arguments.count { $0 == "--duration" } == 1 && !arguments.contains("--rate"))
        let place = try #require(arguments.firstIndex(of: "--duration"))
        #expect(arguments[place + 1] == duration)
    }

    @Test func aSweepRunsEachRate() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--mode", "lt", "--sweep", "100:350:100", "--connections", "8"] + Self.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(try process.rows().compactMap(\.ratePerS).sorted() == [100, 200, 300])
    }

    @Test(arguments: [
        (["--slo", "p99"], "--slo takes percentiles"), (["--slo", "p100=1ms"], "--slo takes percentiles"),
        (["--slo", "p99=1ms", "--rate", "5"], "--rate and --slo exclude each other"),
        (["--sweep", "1:5:1", "--rate", "5"], "--rate and --sweep exclude each other"),
        (["--slo", "p99=1ms", "--sweep", "1:5:1"], "--sweep and --slo exclude each other"),
        (["--slo", "p99=1ms", "--workload", "read", "--think", "1ms"], "--think belongs to a closed loop"),
        (["--slo", "p99=1ms", "--drain", "100"], "--slo and --drain exclude each other"),
        (["--slo", "p99=1ms", "--workload", "wake"], "--slo belongs to --workload"),
        (["--sweep", "5"], "--sweep takes FIRST:LAST:STEP"), (["--sweep", "5:1:1"], "--sweep takes FIRST:LAST:STEP"),
        (["--sweep", "1:5:0"], "--sweep takes FIRST:LAST:STEP"),
        (["--sweep", "1:1e9:1"], "--sweep takes FIRST:LAST:STEP"),
        (["--sweep", "1:5:nan"], "--sweep takes FIRST:LAST:STEP"),
    ]) func whatMakesNoSenseIsRefused(_ options: [String], _ message: String) async throws {
        let (_, outcome) = try await BenchProcess.run(["--mode", "lt"] + options)
        #expect(outcome.exit == 64)
        #expect(outcome.complaints.contains(message), "\(outcome.complaints)")
    }
}
