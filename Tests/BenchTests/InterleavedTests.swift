import Foundation
import Records
import TestSupport
import Testing

/// Programs compared by running them. What they measure depends on the machine; what they count does not.
@Suite(.serialized, .timeLimit(.minutes(60))) struct InterleavedTests {
    /// Ended by a number of connections, each of which costs the same system calls however busy the machine is.
    private static let steady = ["--mode", "lt", "--drain", "200"]

    /// A program that is `bench` with one more system call per connection.
    private func dearer(in folder: BenchFolder) throws -> String {
        let text = "#!/bin/sh\nexec '\(BenchProcess.path)' \"$@\" --service sleep --service-time fixed:1us\n"
        try folder.write("dearer", text)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("dearer"))
        return folder.path("dearer")
    }

    private func compare(_ new: String, _ more: [String]) -> [String] {
        ["compare", "--binaries", BenchProcess.path, new, "--output", "out", "--seed", "7"]
            + ["--fail-on", "syscalls_per_op", "--ignore", "service_time,service"] + more
    }

    @Test func blocksHoldEveryProgramAndModeOnceInSeededOrder() async throws {
        let folder = try BenchFolder()
        let arguments =
            compare(BenchProcess.path, ["--blocks", "3", "--max-blocks", "3", "--", "--mode", "lt,et"])
            + ["--drain", "20"]
        #expect(try await folder.bench(arguments).exit == 0)
        let sides = try ["base", "new"].map { try folder.rows("out/\($0)") }
        for rows in sides {
            #expect(rows.count == 6 && rows.allSatisfy { $0.status == .ok && $0.drain == 20 })
            #expect(Set(rows.map(\.runId)).count == 6 && Set(rows.map(\.round)) == [1, 2, 3])
            #expect(Set(rows.map(\.seed)) == [7])
        }
        for block in 1...3 {
            let places = sides.flatMap { $0.filter { $0.round == block }.map(\.orderInRound) }
            #expect(places.sorted() == [1, 2, 3, 4])
        }
        let again = try BenchFolder()
        #expect(try await again.bench(arguments).exit == 0)
        let order = try again.rows("out/base").map { [$0.mode, "\($0.round)", "\($0.orderInRound)"] }
        #expect(order == sides[0].map { [$0.mode, "\($0.round)", "\($0.orderInRound)"] })
        #expect(folder.text("out/compare.json").contains("\"seed\" : 7"))
        // Each side is a result folder like any other.
        #expect(try await folder.bench("export out/base --format hgrm --mode et").exit == 0)
        let stored = try await folder.bench("compare out/base out/new --ignore service_time")
        #expect(stored.output.contains("blocks") && !stored.output.contains("not interleaved"))
    }

    @Test func everyModeGetsItsPartOfTheOptions() async throws {
        let folder = try BenchFolder()
        // Re-arming belongs to one of the modes, and a shared set to two.
        let arguments =
            compare(BenchProcess.path, ["--blocks", "2", "--max-blocks", "2", "--allow-missing", "--"])
            + ["--mode", "all", "--rearm", "late", "--topology", "all", "--drain", "5"]
        let outcome = try await folder.bench(arguments)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let rows = try folder.rows("out/base") + folder.rows("out/new")
        #expect(rows.contains { $0.mode == "epoll-oneshot" && $0.rearm == "late" && $0.topology == "set-per-worker" })
        #expect(rows.contains { $0.mode == "blocking" && $0.topology == "set-per-worker" })
        for block in 1...2 {
            let places = rows.filter { $0.round == block }.map(\.orderInRound)
            #expect(places.sorted() == Array(1...rows.count / 2))
        }
    }

    @Test func aDearerProgramEndsWith2() async throws {
        let folder = try BenchFolder()
        let arguments = compare(try dearer(in: folder), ["--blocks", "3", "--max-blocks", "14", "--"]) + Self.steady
        let outcome = try await folder.bench(arguments)
        #expect(outcome.exit == 2, "\(outcome.output)\(outcome.complaints)")
        #expect(outcome.output.contains("Overall: regressed (syscalls_per_op)"))
    }

    @Test func doubtIsFollowedByMoreBlocks() async throws {
        let folder = try BenchFolder()
        // Two blocks are too few for any verdict.
        let outcome = try await folder.bench(
            compare(BenchProcess.path, ["--blocks", "2", "--max-blocks", "3", "--"]) + Self.steady)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("inconclusive after 2 blocks; going on to 3: epoll-lt"))
        #expect(try folder.rows("out/new").map(\.round) == [1, 2, 3])
    }

    @Test func aSecondLookTakesHalfOfTheDoubtFromTheFirst() async throws {
        // Six blocks can give 96.9 %: enough for a comparison of one look, and too little where two share the 5 %.
        for (most, confidence) in [("6", "[96.9 %]"), ("7", "[98.4 %]")] {
            let outcome = try await BenchFolder().bench(
                compare(BenchProcess.path, ["--blocks", "6", "--max-blocks", most])
                    + ["--fail-on", "server_cpu_ns_per_op", "--", "--mode", "lt", "--drain", "20"])
            #expect(outcome.output.contains(confidence), "\(outcome.output)\(outcome.complaints)")
        }
    }

    /// Interrupts a comparison when the new side has so many rows.
    private func interrupt(
        _ process: BenchProcess, afterRows count: Int, in folder: BenchFolder
    ) async throws -> BenchProcess.Outcome {
        while process.isRunning, ((try? folder.rows("out/new")) ?? []).count < count {
            try await Task.sleep(for: .milliseconds(5))
        }
        process.send(SIGINT)
        return await process.wait()
    }

    @Test func anInterruptedComparisonGoesOn() async throws {
        let folder = try BenchFolder()
        let arguments =
            compare(BenchProcess.path, ["--blocks", "8", "--max-blocks", "8", "--", "--mode", "lt", "--drain", "20"])
        let process = try folder.start(arguments)
        let first = try await interrupt(process, afterRows: 2, in: folder)
        #expect(first.exit == 130 && first.complaints.contains("bench compare --resume out"))
        let before = try folder.rows("out/new")
        #expect(before.allSatisfy { $0.status == .partial } && before.count < 8)
        let second = try await folder.bench("compare --resume out --quiet")
        #expect(second.exit == 0, "\(second.complaints)")
        let after = try folder.rows("out/new")
        #expect(after.count == 8 && after.allSatisfy { $0.status == .ok })
        #expect(after.prefix(before.count).map(\.startedAt) == before.map(\.startedAt))
        let programs = folder.text("out/compare.json")
        try folder.write(
            "out/compare.json", programs.replacingOccurrences(of: "\"size_bytes\" : ", with: "\"size_bytes\" : 1"))
        let changed = try await folder.bench("compare --resume out")
        #expect(changed.exit == 64 && changed.complaints.contains("has changed since"))
    }

    @Test func aComparisonOfServersThatLogGoesOn() async throws {
        let folder = try BenchFolder()
        try folder.write("log", "of another day\n")
        let server = "exec '\(BenchProcess.path)' serve --port {port} --mode"
        let commands = ["lt", "et"].map { "echo began >>log; \(server) \($0) >>log" }
        let process = try folder.start(
            ["compare", "--servers"] + commands
                + ["--blocks", "4", "--max-blocks", "4", "--output", "out", "--", "--workload", "read"]
                + ["--connections", "1", "--duration", "50ms", "--warmup", "5ms", "--no-kernel-counts"])
        #expect(try await interrupt(process, afterRows: 2, in: folder).exit == 130)
        let second = try await folder.bench("compare --resume out --quiet")
        #expect([0, 2].contains(second.exit), "\(second.complaints)")
        #expect(try folder.rows("out/new").count == 4)
    }

    @Test func aComparisonThatGoesOnKeepsItsLooksAndItsCriteria() async throws {
        let folder = try BenchFolder()
        let stages = ["--blocks", "2", "--max-blocks", "40", "--", "--mode", "lt", "--drain", "20"]
        let process = try folder.start(compare(BenchProcess.path, stages))
        #expect(try await interrupt(process, afterRows: 10, in: folder).exit == 130)
        let other = try await folder.bench("compare --resume out --quiet --fail-on wakeups_per_op")
        #expect(other.exit == 64 && other.complaints.contains("--resume keeps to what was asked at first"))
        let second = try await folder.bench("compare --resume out --quiet")
        // The blocks of the second stage have no part in the first look, which two blocks leave in doubt.
        #expect(second.complaints.contains("inconclusive after 2 blocks"), "\(second.complaints)")
        #expect(second.output.contains("syscalls_per_op*") && !second.output.contains("server_cpu_ns_per_op*"))
        // A block whose queue overflowed, for which another program may be to blame, is run again.
        let rounds = try folder.rows("out/new").map(\.round)
        #expect(Set(rounds) == Set(1...40), "\(rounds)")
    }
}
