import Foundation
import Records
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(60))) struct ResumeTests {
    /// The service time gives the test the time to stop it.
    private static let arguments = [
        "--mode", "lt,et,poll", "--drain", "20", "--service-time", "fixed:5ms", "--service", "sleep", "--rounds", "12",
        "--output", "out",
    ]

    /// A folder with an invocation that was stopped by `signal` after some rows.
    private func stopped(by signal: Int32) async throws -> BenchFolder {
        let folder = try BenchFolder()
        let process = try folder.start(Self.arguments)
        while process.isRunning, folder.text("out/runs.csv").count(where: { $0 == "\n" }) < 4 {
            try await Task.sleep(for: .milliseconds(2))
        }
        process.send(signal)
        _ = await process.wait()
        return folder
    }

    @Test(arguments: [SIGINT, SIGKILL]) func finishedRunsAreKeptAndTheOthersFollow(_ signal: Int32) async throws {
        let folder = try await stopped(by: signal)
        let before = try folder.rows("out").filter { $0.latencySamples ?? 0 > 0 && !$0.reason.hasPrefix("interrupted") }
        #expect(before.count >= 3 && before.count < 36)
        let outcome = try await folder.bench("--resume out")
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let rows = try folder.rows("out")
        let good = rows.filter { $0.status == .ok }
        #expect(good.count == 36 && Set(good.map { [$0.round, $0.orderInRound] }).count == 36)
        #expect(Set(rows.map(\.runId)).count == rows.count && Set(rows.map(\.seed)).count == 1)
        #expect(before.allSatisfy { row in good.contains { $0.runId == row.runId && $0.startedAt == row.startedAt } })
        for round in 1...12 { #expect(Set(good.filter { $0.round == round }.map(\.mode)).count == 3) }
        // The other files hold each run once.
        let percentiles = folder.text("out/percentiles.csv").split(separator: "\n").dropFirst()
        let withLatencies = rows.filter { ($0.latencySamples ?? 0) > 0 }.map(\.runId)
        #expect(Set(percentiles.map { String($0.prefix { $0 != "," }) }) == Set(withLatencies))
        let intervals = folder.text("out/latency.hlog").split(separator: "\n").filter { $0.hasPrefix("Tag=") }
        #expect(intervals.count == withLatencies.count)
        #expect(folder.text("out/run.json").contains("\"interrupted\" : false"))
    }

    @Test func whatACrashCutOffIsRunAgain() async throws {
        let folder = try await stopped(by: SIGKILL)
        for name in ["runs.csv", "percentiles.csv", "latency.hlog"] {
            try folder.write("out/\(name)", String(folder.text("out/\(name)").dropLast(7)))
        }
        let outcome = try await folder.bench("run --resume out --quiet")
        #expect(outcome.exit == 0 && outcome.output.isEmpty, "\(outcome.complaints)")
        #expect(try folder.rows("out").filter { $0.status == .ok }.count == 36)
    }

    @Test func aFinishedInvocationRunsNothingMore() async throws {
        let folder = try BenchFolder()
        #expect(try await folder.bench("--mode lt --drain 20 --rounds 2 --output out").exit == 0)
        let before = folder.text("out/runs.csv")
        #expect(try await folder.bench("--resume out").exit == 0)
        #expect(folder.text("out/runs.csv") == before)
    }

    @Test func invocationsOfTheSameSecondHaveFoldersOfTheirOwn() async throws {
        let folder = try BenchFolder()
        for _ in 1...3 { #expect(try await folder.bench("--mode lt --drain 2 --rounds 1 --quiet").exit == 0) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("results")).count == 3)
    }

    @Test func whatCannotGoOnIsRefused() async throws {
        let folder = try BenchFolder()
        #expect(try await folder.bench("--mode lt --drain 20 --rounds 2 --output out").exit == 0)
        let description = folder.text("out/run.json")
        func refusal(_ arguments: String, _ old: String = "", _ new: String = "") async throws -> BenchProcess.Outcome {
            let text = old.isEmpty ? description : description.replacingOccurrences(of: old, with: new)
            #expect(old.isEmpty || text != description)
            try folder.write("out/run.json", text)
            return try await folder.bench(arguments)
        }
        let cases: [(outcome: BenchProcess.Outcome, exit: Int32, says: String)] = [
            (try await refusal("--resume nowhere"), 64, "nowhere/run.json cannot be read"),
            (try await refusal("--resume out --rounds 5"), 64, "leave out --rounds 5"),
            (try await refusal("--resume out", "\"git_commit\" : \"", "\"git_commit\" : \"x"), 64, "begin anew"),
            (try await refusal("--resume out", "\"machine_id\" : \"", "\"machine_id\" : \"x"), 5, "was begun on x"),
            (try await refusal("--resume out", "\"--drain\"", "\"--drian\""), 64, "does not take the stored options"),
            (try await refusal("--resume out", "{", "["), 64, "out/run.json:2:15: a comma or ] belongs here"),
        ]
        for (outcome, exit, says) in cases {
            #expect(outcome.exit == exit && outcome.complaints.contains(says), "\(outcome.complaints)")
            #expect(outcome.complaintLines.count == 1, "\(outcome.complaints)")
        }
    }

    @Test func warningsAndFactsAreStored() async throws {
        let folder = try BenchFolder()
        let outcome = try await folder.bench("--mode lt --drain 20 --rounds 2 --output out")
        #expect(outcome.complaints.contains("Too few operations for a 99th percentile in epoll-lt"))
        let stored = try #require(
            JSONSerialization.jsonObject(with: Data(folder.text("out/run.json").utf8)) as? [String: Any])
        #expect((stored["warnings"] as? [String])?.contains { $0.hasPrefix("Too few operations") } == true)
        let facts = try #require(stored["doctor"] as? [[String: String]])
        #expect(facts.contains { $0["fact"] == "clock source" } && facts.allSatisfy { $0.count == 4 })
        #expect(Set(facts.compactMap { $0["fact"] }).contains("load by others"))
        #expect(try await folder.bench("--mode lt --drain 20 --rounds 1 --output quiet --quiet").complaintLines.isEmpty)
        let doctor = try await folder.bench("doctor")
        #expect(doctor.exit == 0 && facts.allSatisfy { doctor.output.contains($0["fact"] ?? "?") })
        #expect(doctor.output.contains("to mend"))
    }
}
