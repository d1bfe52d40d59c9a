import Foundation
import Meters
import Records
import TestSupport
import Testing

@Suite struct CompareTests {
    private func compare(
        _ base: [RunRecord], _ new: [RunRecord], _ more: [String] = []
    ) async throws -> BenchProcess.Outcome {
        let folder = try BenchFolder()
        try folder.write("a", rows: base)
        try folder.write("b", rows: Self.dayLater(new))
        return try await folder.bench(["compare", "a", "b"] + more)
    }

    /// Measured apart from the others, so that they are no copies.
    private static func dayLater(_ rows: [RunRecord]) -> [RunRecord] {
        rows.map { row in
            var row = row
            row.startedAt = row.startedAt.replacing("2026-01-31", with: "2026-02-01")
            return row
        }
    }

    @Test func theSameIsFine() async throws {
        let outcome = try await compare(storedRows(), storedRows(), Self.steadyMachine)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output.contains("Overall: same"))
        #expect(outcome.output.contains("Base: a\nNew:  b"))
        #expect(outcome.lastLine == "SAME accept/epoll-et server_cpu_ns_per_op +0.0 % [-0.6, 0.6] and 2 more")
        #expect(outcome.complaintLines.isEmpty)
    }

    /// Of which times may be compared although they were not measured in turn.
    private static let steadyMachine = ["--drift", "0"]

    private static let byCost = ["--fail-on", "server_cpu_ns_per_op"] + steadyMachine

    @Test func anImprovementIsFine() async throws {
        let outcome = try await compare(storedRows(), storedRows(cost: 4_000), Self.byCost)
        #expect(outcome.exit == 0 && outcome.output.contains("Overall: improved (server_cpu_ns_per_op)"))
    }

    @Test func aRegressionEndsWith2() async throws {
        let outcome = try await compare(storedRows(), storedRows(cost: 6_000), Self.byCost)
        #expect(outcome.exit == 2 && outcome.output.contains("Overall: regressed (server_cpu_ns_per_op)"))
    }

    @Test func interleavedFoldersAreAskedForNoDrift() async throws {
        let folder = try BenchFolder()
        try folder.write("c/base", rows: storedRows())
        try folder.write("c/new", rows: storedRows(cost: 6_000))
        let apart = try await folder.bench("compare c/base c/new")
        #expect(apart.exit == 0 && apart.lastLine.hasPrefix("INCONCLUSIVE "), "\(apart.output)")
        try folder.write("c/compare.json", comparePlan)
        #expect(try await folder.bench("compare c/base c/new").exit == 2)
    }

    @Test func oneMoreSystemCallEndsWith2() async throws {
        let outcome = try await compare(storedRows(rounds: 3), storedRows(rounds: 3) { $0.syscallsPerOp = 4 })
        #expect(outcome.exit == 2 && outcome.output.contains("Overall: regressed (syscalls_per_op)"))
    }

    @Test func oneMoreAllocationEndsWith2() async throws {
        let outcome = try await compare(
            storedRows(rounds: 3) { $0.allocationsPerOp = 0 }, storedRows(rounds: 3) { $0.allocationsPerOp = 1 },
            ["--fail-on", "allocations_per_op"])
        #expect(outcome.exit == 2 && outcome.output.contains("Overall: regressed (allocations_per_op)"))
    }

    @Test func theMinimumEffectDecidesWhatMatters() async throws {
        let outcome = try await compare(
            storedRows(), storedRows(cost: 6_000), ["--min-effect", "50%"] + Self.steadyMachine)
        #expect(outcome.exit == 0 && outcome.output.contains("Overall: same"))
    }

    @Test func onlyTheNamedMetricsDecide() async throws {
        let dearer = storedRows(cost: 6_000)
        #expect(try await compare(storedRows(), dearer, ["--fail-on", "throughput_ops_per_s"]).exit == 0)
        let both = try await compare(
            storedRows(), dearer, Self.byCost + ["--metrics", "throughput_ops_per_s"])
        #expect(both.exit == 2 && !both.output.contains("wakeups_per_op"))
    }

    @Test func whereNothingDecidesThereIsNoVerdict() async throws {
        let outcome = try await compare(storedRows(), storedRows(), ["--fail-on", "one_way_p50_ns"])
        #expect(outcome.exit == 3 && outcome.lastLine.hasSuffix("one_way_p50_ns: neither side has it"))
    }

    @Test func doubtFailsOnRequestOnly() async throws {
        let (base, new) = (storedRows(rounds: 3), storedRows(rounds: 3, cost: 6_000))
        #expect(try await compare(base, new).exit == 0)
        let strict = try await compare(base, new, ["--fail-on", "server_cpu_ns_per_op,inconclusive"])
        #expect(strict.exit == 2 && strict.output.contains("Overall: inconclusive"))
    }

    @Test func anotherMachineEndsWith5UnlessForced() async throws {
        let other = storedRows(machine: "m2")
        let refused = try await compare(storedRows(), other)
        #expect(refused.exit == 5 && refused.complaintLines.count == 1)
        #expect(refused.complaints.contains("different machines (m1 and m2)"))
        let forced = try await compare(storedRows(), other, ["--force"])
        #expect(forced.exit == 0 && forced.output.contains("different machines"))
    }

    @Test func anotherKernelIsNamed() async throws {
        let folder = try BenchFolder()
        #expect(try await folder.bench("run --mode lt --drain 5 --rounds 1 --output a").exit == 0)
        #expect(try await folder.bench("run --mode lt --drain 5 --rounds 1 --output b").exit == 0)
        #expect(try await !folder.bench("compare a b").complaints.contains("kernels"))
        let kernel = MachineFacts.read().kernel
        try folder.write("b/run.json", folder.text("b/run.json").replacing("\"\(kernel)\"", with: "\"1.0\""))
        let outcome = try await folder.bench("compare a b")
        #expect(outcome.complaints.contains("different kernels, \(kernel) and 1.0"), "\(outcome.complaints)")
    }

    @Test func nothingUsableEndsWith3() async throws {
        let outcome = try await compare(storedRows(), storedRows { $0.status = .failed })
        #expect(
            outcome.exit == 3 && outcome.lastLine.hasPrefix("FAILED accept/epoll-et: 10 of 10 runs failed on the new"))
    }

    @Test func aFailedRunOfTheNewSideEndsWith3() async throws {
        var new = storedRows()
        new[4].status = .failed
        let outcome = try await compare(storedRows(), new, Self.steadyMachine)
        #expect(outcome.exit == 3 && outcome.output.contains("Overall: failed"))
        #expect(outcome.complaints.contains("left out of b: 1 failed"))
    }

    @Test func modesOfOneFolderArePaired() async throws {
        let folder = try BenchFolder()
        try folder.write("a", rows: storedRows() + storedRows("uring-multishot", cost: 4_000))
        let better = try await folder.bench("compare a --modes et,multishot")
        #expect(better.exit == 0 && better.output.contains("Overall: improved"))
        #expect(better.lastLine.hasPrefix("IMPROVED accept/uring-multishot against epoll-et "))
        #expect(better.output.contains("blocks") && !better.output.contains("not interleaved"))
        #expect(try await folder.bench("compare a --modes multishot,et").exit == 2)
    }

    @Test func aModeThatSharesItsSetIsComparedWithOneThatDoesNot() async throws {
        let folder = try BenchFolder()
        let shared = storedRows("epoll-oneshot", cost: 6_000) {
            $0.topology = "shared-set"
            $0.rearm = "early"
        }
        try folder.write("a", rows: storedRows() + shared)
        #expect(try await folder.bench("compare a --modes et,oneshot").exit == 2)
    }

    @Test func twoFoldersOfAThousandRunsTakeNoTime() async throws {
        let modes = ["epoll-lt", "epoll-et", "poll", "select", "uring-multishot"]
        // Noisy in every metric, so that none is settled without statistics.
        func side(_ seed: Int) -> [RunRecord] {
            modes.flatMap { mode in
                storedRows(mode, rounds: 200, noise: 0.05) { run in
                    let noise = 1 + Double((run.round * 7_919 + seed * 104_729) % 1_009) / 10_000
                    run.throughputOpsPerS = 100_000 * noise
                    (run.latencyP50Ns, run.latencyP99Ns) = (UInt64(10_000 * noise), UInt64(90_000 * noise))
                    (run.syscallsPerOp, run.wakeupsPerOp) = (3 * noise, noise)
                    (run.spuriousWakeupsPerOp, run.voluntarySwitchesPerOp) = (noise / 2, noise)
                }
            }
        }
        let outcome = try await compare(side(1), side(2))
        #expect(outcome.exit == 0, "\(outcome.complaints)")
    }

    @Test(arguments: [
        ("compare", "name two result folders"), ("compare a", "name two result folders"),
        ("compare a b --modes et,lt", "name two result folders"),
        ("compare a --modes et,nonsense", "unknown mode 'nonsense'"), ("compare a --modes et", "two different modes"),
        ("compare a --modes et,et", "two different modes"), ("compare a --modes et,poll", "has no run of poll"),
        ("compare a c", "c/runs.csv does not exist"), ("compare a b --min-effect -1", "--min-effect"),
        ("compare a b --min-effect 200%", "--min-effect takes a share"),
        ("compare a b --metrics speed", "\"speed\" is not a metric"),
        ("compare a b --fail-on run_id", "\"run_id\" is not a metric"),
        ("compare a b --fail-on client_cpu_ns_per_op", "neither more nor less is better"),
        ("compare a b --ignore speed", "'speed' is not an identity column"),
        ("compare a b --nonsense", "--min-effect"), ("compare a b --drift x", "--drift takes a share"),
        ("compare --binaries a", "--binaries takes two programs"),
        ("compare --binaries a b", "a is not a program"),
        ("compare --binaries /bin/true /bin/true -- --rounds 3", "--rounds is set for every run"),
        ("compare --binaries /bin/true /bin/true -- --nonsense", "after --, options of bench run"),
        ("compare --binaries /bin/true /bin/true --blocks 0", "--blocks takes 1 to 10000"),
        ("compare --binaries /bin/true /bin/true --blocks 9 --max-blocks 8", "--max-blocks no fewer"),
        ("compare --resume a", "compare.json cannot be read"),
    ])
    func aMistakeIsToldInOneLine(_ arguments: String, _ says: String) async throws {
        let folder = try BenchFolder()
        try folder.write("a", rows: storedRows())
        try folder.write("b", rows: Self.dayLater(storedRows()))
        let outcome = try await folder.bench(arguments)
        #expect(outcome.exit == 64, "\(outcome.complaints)")
        #expect(outcome.output.isEmpty && outcome.complaints.contains(says), "\(outcome.complaints)")
        #expect(outcome.complaintLines.count == 1, "\(outcome.complaints)")
    }
}
