import Foundation
import TestSupport
import Testing

@Suite struct ExampleTests {
    private static let commands = [
        "run", "serve", "agent", "load", "list", "claims", "compare", "check", "calibrate", "history", "plot", "report",
        "export",
        "doctor",
    ]

    /// What ends a command early that would run for long, and is no part of the example.
    private static let ends = [
        "run": ["--output", "/dev/null/x"], "claims": ["--csv", "/dev/null/x"],
        "serve": ["--listener", "nonsense"], "agent": ["--listen", "nonsense"],
        "load": ["--join-timeout", "nonsense"],
        "calibrate": ["--output", "/dev/null/x"],
        "check": ["--baseline", "/dev/null/x"],
    ]

    private func examples(_ command: String?, of workload: String? = nil) async throws -> [String] {
        let typed = workload.map { ["run", "--workload", $0, "--help"] } ?? command.map { ["help", $0] } ?? ["--help"]
        let (_, outcome) = try await BenchProcess.run(typed, environment: ["COLUMNS": "200"])
        #expect(outcome.exit == 0)
        let parts = outcome.output.components(separatedBy: "EXAMPLES:\n")
        #expect(parts.count == 2, "\(command ?? "bench") has no examples")
        return parts.last?.split(separator: "\n").filter { $0.hasPrefix("      ") }.map {
            $0.trimmingCharacters(in: .whitespaces)
        } ?? []
    }

    @Test(arguments: commands) func theExamplesOfACommandAreUnderstood(_ command: String) async throws {
        try await expectUnderstood(try await examples(command), command)
    }

    @Test(arguments: ["accept", "crr", "read", "datagram", "wake"])
    func theExamplesOfAWorkloadAreItsOwn(_ workload: String) async throws {
        let lines = try await examples("run", of: workload)
        #expect(lines.allSatisfy { $0.contains("--workload \(workload) ") }, "\(lines)")
        try await expectUnderstood(lines, "run")
    }

    private func expectUnderstood(_ lines: [String], _ command: String) async throws {
        #expect((1...3).contains(lines.count), "\(lines)")
        for line in lines {
            var words = line.split(separator: " ").map(String.init)
            #expect(words.prefix(2) == ["bench", command])
            words.removeFirst()
            let place = words.firstIndex(of: "--") ?? words.endIndex
            words.insert(contentsOf: Self.ends[command] ?? [], at: place)
            if words.contains("--update") { words += ["--", "--mode", "nonsense"] }
            let (_, outcome) = try await BenchProcess.run(words)
            // What is asked for is understood; what is missing are the files.
            let isMissing = ["/dev/null/x", "nonsense", "results", "old/bench"].contains {
                outcome.complaints.contains($0)
            }
            #expect(outcome.exit == 0 || isMissing, "\(line): \(outcome.complaints)")
            for word in ["unknown option", "nexpected argument", "issing", "see 'bench help"] {
                #expect(!outcome.complaints.contains(word), "\(line): \(outcome.complaints)")
            }
        }
    }

    @Test func theExamplesOfTheProgramAreUnderstood() async throws {
        let lines = try await examples(nil)
        #expect(lines.count == 2)
        let run = lines[0].split(separator: " ").map(String.init).dropFirst()
        let (_, outcome) = try await BenchProcess.run(Array(run) + ["--output", "/dev/null/x"])
        #expect(outcome.complaints.contains("/dev/null/x cannot be created"), "\(outcome.complaints)")
        guard isInstalled("bash") else { return }
        let (_, shell) = try await BenchProcess.run(
            [],
            under: ["sh", "-c", "PATH=\"$(dirname \"$1\"):$PATH\" bash -c \"$0\"", lines[1] + "; declare -F _bench"])
        #expect(shell.output == "_bench\n", "\(shell.complaints)")
    }
}
