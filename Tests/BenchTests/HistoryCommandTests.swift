import Foundation
import Records
import Testing

@Suite struct HistoryCommandTests {
    private func folder() throws -> BenchFolder {
        let folder = try BenchFolder()
        for index in 0..<24 {
            let rows = storedRows(rounds: 3, cost: index < 12 ? 5_000 : 6_000, noise: 0.001) {
                $0.startedAt = "2026-01-\(10 + index)T00:00:00Z"
                $0.gitCommit = "c\(index)"
            }
            try folder.write("results/\(index)", rows: rows)
        }
        return folder
    }

    @Test func theCommitOfAChangeIsNamed() async throws {
        let folder = try folder()
        let outcome = try await folder.bench("history")
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output.contains("server_cpu_ns_per_op worse between c11 and c12"))
        #expect(outcome.output.contains("24 stored runs"))
    }

    @Test func theCSVAndItsConfigurationAreWritten() async throws {
        let folder = try folder()
        let outcome = try await folder.bench(
            "history results --metrics server_cpu_ns_per_op --csv h.csv --otava-config otava.yaml")
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let lines = folder.text("h.csv").split(separator: "\n")
        #expect(lines.count == 25 && lines[0] == "time,commit,accept/epoll-et/server_cpu_ns_per_op")
        #expect(folder.text("otava.yaml").contains("/h.csv\""))
    }

    @Test func sidesOfAComparisonAreNoHistory() async throws {
        let folder = try folder()
        try folder.write("results/c/compare.json", "{}")
        try folder.write("results/c/base", rows: storedRows())
        try folder.write("results/baseline/m1/accept", rows: storedRows())
        #expect(try await folder.bench("history").output.contains("24 stored runs"))
        #expect(try await folder.bench("history results/baseline").output.contains("1 stored runs"))
    }

    @Test(arguments: [
        ("history nowhere", 64, "nowhere is not a folder"), ("history empty", 5, "no stored runs under empty"),
        ("history --metrics speed", 64, "\"speed\" is not a metric"),
        ("history --otava-config x", 64, "name that too"),
        ("history --csv /dev/null/x", 64, "/dev/null/x cannot be written"),
    ])
    func aMistakeIsToldInOneLine(_ arguments: String, _ exit: Int32, _ says: String) async throws {
        let folder = try folder()
        try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
        let outcome = try await folder.bench(arguments)
        #expect(outcome.exit == exit, "\(outcome.complaints)")
        #expect(outcome.complaints.contains(says), "\(outcome.complaints)")
        #expect(outcome.complaintLines.count == 1)
    }
}
