import Foundation
import Meters
import Records
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(60))) struct CheckTests {
    /// Ended by a number of connections, so that a busy machine cuts nothing off.
    private static let steady = ["--mode", "lt,poll", "--connections", "1", "--drain", "200", "--rounds", "3"]

    /// A folder with a baseline of counts.
    private func counted() async throws -> BenchFolder {
        let folder = try BenchFolder()
        let stored = try await folder.bench(["check", "--update", "--counts-only", "--"] + Self.steady)
        #expect(stored.exit == 0, "\(stored.complaints)")
        return folder
    }

    private let counts = "results/baseline/counts/accept"
    private var machine: String { "results/baseline/\(MachineFacts.read().machineID)" }

    @Test func withoutABaselineItEndsWith5() async throws {
        for arguments in ["check", "check --counts-only", "check --baseline nowhere"] {
            let outcome = try await BenchFolder().bench(arguments)
            #expect(outcome.exit == 5 && outcome.complaints.contains("bench check --update stores one"))
            #expect(outcome.complaintLines.count == 1)
        }
    }

    @Test(.enabled(if: AllocationCount.isCounted, "the runtime of a sanitizer makes system calls of its own"))
    func equalCountsAreFine() async throws {
        let folder = try await counted()
        let outcome = try await folder.bench("check --counts-only")
        #expect(outcome.exit == 0, "\(outcome.output)\(outcome.complaints)")
        #expect(outcome.output.contains("Overall: same"))
        #expect(outcome.output.contains("syscalls_per_op*") && !outcome.output.contains("server_cpu"))
        #expect(outcome.output.contains("allocations_per_op*") == AllocationCount.isCounted)
    }

    @Test func countsOfAnotherMachineAreComparedAndThoseOfAnotherBuildAreNot() async throws {
        let folder = try await counted()
        var rows = try folder.rows(counts)
        for index in rows.indices { rows[index].machineId = "elsewhere" }
        try folder.write(counts, rows: rows)
        #expect(try await folder.bench("check --counts-only").exit == 0)
        for index in rows.indices { rows[index].build = rows[index].build == "debug" ? "release" : "debug" }
        try folder.write(counts, rows: rows)
        let outcome = try await folder.bench("check --counts-only")
        #expect(outcome.exit == 5 && outcome.complaints.contains("this is a"))
    }

    @Test(.enabled(if: AllocationCount.isCounted, "the runtime of a sanitizer makes system calls of its own"))
    func oneMoreSystemCallOrAllocationEndsWith2() async throws {
        let folder = try await counted()
        let good = try folder.rows(counts)
        let paths: [WritableKeyPath<RunRecord, Double?>] = [\.syscallsPerOp, \.allocationsPerOp]
        for path in paths where path == \.syscallsPerOp || AllocationCount.isCounted {
            var rows = good
            for index in rows.indices { rows[index][keyPath: path] = (rows[index][keyPath: path] ?? 0) - 1 }
            try folder.write(counts, rows: rows)
            let outcome = try await folder.bench("check --counts-only")
            #expect(outcome.exit == 2, "\(outcome.output)\(outcome.complaints)")
            #expect(outcome.complaints.contains("counts differ; counting again"))
        }
    }

    @Test func whatWasNotCheckedIsNamed() async throws {
        let folder = try await counted()
        let good = try folder.rows(counts)
        // An arm that these options do not make.
        let other = good.map { record in
            var record = record
            record.connections = 2
            record.runId = "other-" + record.runId
            return record
        }
        try folder.write(counts, rows: good + other)
        let missing = try await folder.bench("check --counts-only")
        #expect(missing.exit == 3, "\(missing.complaints)")
        #expect(missing.output.contains("Not compared: epoll-lt (2 connections): only the base has it."))
        #expect(missing.lastLine.hasPrefix("NOT COMPARED accept/poll (2 connections) and 1 more: only the base has it"))
        let allowed = try await folder.bench("check --counts-only --allow-missing")
        #expect(allowed.exit == 0 && allowed.lastLine.hasPrefix("SAME accept/"), "\(allowed.output)")
        // Counts that say nothing.
        var rows = good
        for index in rows.indices {
            // On both sides of what will be counted.
            let factor = Double(rows[index].round)
            rows[index].syscallsPerOp = rows[index].syscallsPerOp.map { $0 * factor / 2 }
            rows[index].wakeupsPerOp = rows[index].mode == "poll" ? 1 : factor / 2
            rows[index].allocationsPerOp = nil
        }
        try folder.write(counts, rows: rows)
        let unsteady = try await folder.bench("check --counts-only")
        #expect(unsteady.exit == 0, "\(unsteady.output)\(unsteady.complaints)")
        #expect(
            unsteady.complaints.contains("own runs: ") && unsteady.complaints.contains("syscalls_per_op of epoll-lt"))
        #expect(unsteady.lastLine.hasSuffix(" counts not compared)"), "\(unsteady.lastLine)")
        for index in rows.indices { rows[index].wakeupsPerOp = nil }
        try folder.write(counts, rows: rows)
        let nothing = try await folder.bench("check --counts-only")
        #expect(nothing.exit == 5 && nothing.complaints.contains("no count was compared"), "\(nothing.complaints)")
    }

    @Test func theBaselinesProgramRunsBesideTheNewOne() async throws {
        let folder = try BenchFolder()
        let stored = try await folder.bench(["check", "--update", "--"] + Self.steady)
        #expect(stored.exit == 0, "\(stored.complaints)")
        #expect(FileManager.default.isExecutableFile(atPath: folder.path(machine + "/bench")))
        let check = "check --blocks 3 --max-blocks 3 --fail-on syscalls_per_op"
        let both = try await folder.bench(check + " --output kept")
        #expect(both.exit == 0 && both.output.contains("blocks"), "\(both.complaints)")
        #expect(try folder.rows("kept/accept/base").count == 6)
        // A baseline that holds what this program does not make.
        let program = folder.path(machine + "/bench")
        let other = "*'--only poll '*) exec '\(BenchProcess.path)' \"$@\" --service-time fixed:1us"
        try folder.write(
            machine + "/bench", "#!/bin/sh\ncase \"$*\" in \(other);; *) exec '\(BenchProcess.path)' \"$@\";; esac\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let lacking = try await folder.bench(check)
        #expect(lacking.exit == 3 && lacking.output.contains("Not compared: poll"), "\(lacking.complaints)")
        // As in a fresh clone.
        try FileManager.default.removeItem(atPath: folder.path(machine + "/bench"))
        let alone = try await folder.bench(check)
        #expect(alone.exit == 0 && alone.complaints.contains("the baseline's program is not in"))
        var rows = try folder.rows(machine + "/accept")
        for index in rows.indices { rows[index].machineId = "elsewhere" }
        try folder.write(machine + "/accept", rows: rows)
        let refused = try await folder.bench(check)
        #expect(refused.exit == 5 && refused.complaints.contains("is of elsewhere, this is"))
    }

    @Test func aFailedUpdateLeavesTheBaseline() async throws {
        let folder = try await counted()
        let before = folder.text(counts + "/runs.csv")
        let outcome = try await folder.bench(
            ["check", "--update", "--counts-only", "--"] + ["--address", "192.0.2.1"])
        #expect(outcome.exit == 3)
        #expect(folder.text(counts + "/runs.csv") == before)
    }

    @Test func theProgramIsKeptWithItsTimes() async throws {
        let folder = try BenchFolder()
        let outcome = try await folder.bench(
            "check --update --quiet -- --workload wake --shape pool --tasks 200 --rounds 1")
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(FileManager.default.isExecutableFile(atPath: folder.path(machine + "/bench")))
        #expect(try folder.rows(machine + "/wake").contains { $0.status == .ok })
    }

    @Test func anUpdateSaysWhatWillNotGate() async throws {
        let outcome = try await BenchFolder().bench([
            "check", "--update", "--counts-only", "--", "--mode", "lt", "--connections", "1", "--drain", "50",
            "--rounds",
            "2",
        ])
        #expect(outcome.exit == 0)
        #expect(
            outcome.complaints.contains(
                "accept: these counts will gate only where they lie clearly apart, since fewer than 3 runs"),
            "\(outcome.complaints)")
    }

    @Test func aBrokenWorkloadHidesNoRegression() async throws {
        let folder = try await counted()
        var rows = try folder.rows(counts)
        for index in rows.indices { rows[index].syscallsPerOp = 1 }
        try folder.write(counts, rows: rows)
        for (name, text) in [("crr", "broken\n"), ("read", "broken too\n")] {
            let path = "results/baseline/counts/\(name)"
            try folder.write(path, rows: rows)
            try folder.write(path + "/runs.csv", text)
        }
        let worse = try await folder.bench("check --counts-only")
        #expect(worse.exit == 2 && worse.lastLine.hasPrefix("REGRESSED accept/"), "\(worse.output)\(worse.complaints)")
        for name in ["crr", "read"] {
            #expect(worse.complaints.contains("counts/\(name)/runs.csv:1"), "\(worse.complaints)")
        }
    }

    @Test(arguments: ["--counts-only --blocks 5", "--counts-only --max-blocks 20", "--update --blocks 20"])
    func blocksBelongToTheRunningOfBothPrograms(_ options: String) async throws {
        let outcome = try await BenchFolder().bench("check \(options)")
        #expect(outcome.exit == 64 && outcome.complaints.contains("belongs to a check that runs both programs"))
        #expect(outcome.complaintLines.count == 1)
    }

    @Test func optionsBelongToTheUpdate() async throws {
        let outcome = try await BenchFolder().bench("check -- --mode lt")
        #expect(outcome.exit == 64 && outcome.complaints.contains("belong to check --update"))
    }

    @Test func calibrationStoresAFloorThatComparisonsUse() async throws {
        let folder = try BenchFolder()
        let calibrate = ["calibrate", "--blocks", "6", "--quiet", "--", "--drain", "50", "--mode"]
        let outcome = try await folder.bench(calibrate + ["lt"])
        #expect(outcome.exit == 0 && outcome.output.contains("noise-floor.json"), "\(outcome.complaints)")
        #expect(try await folder.bench(calibrate + ["et"]).exit == 0)
        let text = folder.text(machine + "/noise-floor.json")
        #expect(text.contains("epoll-lt") && text.contains("epoll-et") && text.contains(MachineFacts.read().kernel))
        // Times from block to block, and counts beside busy processors.
        let floor = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        for metric in ["server_cpu_ns_per_op", "syscalls_per_op"] {
            let entries = (floor?["entries"] as? [[String: Any]] ?? []).filter { $0["metric"] as? String == metric }
            #expect(entries.count == 2 && entries.allSatisfy { $0["drift"] is Double }, "\(text)")
        }
        let run = "run --mode lt --drain 50 --rounds 3 --output"
        for name in ["a", "b"] { #expect(try await folder.bench("\(run) \(name)").exit == 0) }
        #expect(try await !folder.bench("compare a b").complaints.contains("noise floor"))
        try folder.write(
            machine + "/noise-floor.json",
            text.replacingOccurrences(of: MachineFacts.read().kernel, with: "1.0"))
        #expect(try await folder.bench("compare a b").complaints.contains("was measured on kernel 1.0"))
        try folder.write(machine + "/noise-floor.json", "{}")
        #expect(try await folder.bench("compare a b").complaints.contains("noise-floor.json:1:1: "))
        #expect(try await folder.bench("calibrate --blocks 5").exit == 64)
    }
}
