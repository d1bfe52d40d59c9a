import Foundation
import Records
import TestSupport
import Testing

@Suite struct HistoryCommandTests {
    private func folder() throws -> BenchFolder {
        let folder = try BenchFolder()
        for index in 0..<24 {
            let rows = storedRows(rounds: 3, cost: index < 12 ? 5_000 : 6_000, noise: 0.001) {
                $0.startedAt = "2026-01-31T\(index < 10 ? "0" : "")\(index):00:00Z"
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
        #expect(try await folder.bench("history results/baseline").output.contains("1 stored run of m1"))
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

extension HistoryCommandTests {
    private func folderOfTwoMachines() throws -> BenchFolder {
        let folder = try BenchFolder()
        for index in 0..<6 {
            for (mode, workload) in [("epoll-et", "accept"), ("poll", "read")] {
                let rows = storedRows(mode, rounds: 3, cost: 5_000, machine: index % 2 == 0 ? "m1" : "m2") {
                    $0.startedAt = "2026-01-31T\(index < 10 ? "0" : "")\(index):00:00Z"
                    $0.gitCommit = "c\(index)"
                    $0.workload = workload
                }
                try folder.write("results/\(index)-\(mode)", rows: rows)
            }
        }
        return folder
    }

    @Test func machinesAreShownApart() async throws {
        let folder = try folderOfTwoMachines()
        let outcome = try await folder.bench("history")
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        for machine in ["m1", "m2"] {
            #expect(outcome.output.contains("Machine \(machine)\n"))
            #expect(outcome.output.contains("3 stored runs of \(machine), "), "\(outcome.output)")
        }
        let one = try await folder.bench("history --machine m2")
        #expect(one.exit == 0 && one.output.contains("of m2") && !one.output.contains("m1"))
        let csv = try await folder.bench("history --csv h.csv")
        #expect(csv.exit == 64 && csv.complaints.contains("choose with --machine: m1, m2"), "\(csv.complaints)")
        let unknown = try await folder.bench("history --machine m3")
        #expect(unknown.exit == 64 && unknown.complaints.contains("unknown machine 'm3'"))
    }

    @Test func modesAndWorkloadsAreChosen() async throws {
        let folder = try folderOfTwoMachines()
        let mode = try await folder.bench("history --mode et")
        #expect(mode.exit == 0 && mode.output.contains("epoll-et\n") && !mode.output.contains("\npoll\n"))
        let workload = try await folder.bench("history --workload read")
        #expect(workload.exit == 0 && workload.output.contains("\npoll\n") && !workload.output.contains("epoll-et"))
        let none = try await folder.bench("history --mode lt")
        #expect(
            none.exit == 5 && none.complaints.contains("there are accept/epoll-et, read/poll"), "\(none.complaints)")
    }
}
