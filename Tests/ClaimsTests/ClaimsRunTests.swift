import Foundation
import TestSupport
import Testing

@testable import Records
@testable import Reports
@testable import Claims
@testable import Loops
@testable import Runs

/// Every experiment once, on the kernel of the tests, in a process of its own: some fork, and some watch what other
/// tests would disturb.
@Suite struct ClaimsRunTests {
    @Test(arguments: [
        "wakeups", "scripts", "accepting", "reuseport", "order", "lifetime", "rings", "waiting", "eventfd", "scale",
    ])
    func verdictsAreThoseOfTheObservations(group: String) throws {
        let experiments = try #require(Self.groups[group])
        let folder = FileManager.default.temporaryDirectory.appending(path: "claims-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/claims.csv"
        let run = try BenchProcess.outcome(["claims", "--only"] + experiments.map(\.id) + ["--csv", file])
        #expect(run.exit == 0, "\(run.complaints)")
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.hasPrefix("Results:") })

        let lines = try rows(of: file)
        #expect(lines.first == ["claim", "statement", "source", "verdict", "observed", "detail", "duration_ms"])
        #expect(lines.dropFirst().map { $0[0] } == experiments.map(\.id))
        for (experiment, line) in zip(experiments, lines.dropFirst()) {
            let observed = try #require(Observed(parsing: line[4]))
            if line[3] == ClaimVerdict.notObservable.rawValue && line[4].isEmpty {
                #expect(!line[5].isEmpty, "\(line)")
                continue
            }
            #expect(line[3] == experiment.verdict(observed).rawValue, "\(line)")
            if line[3] == ClaimVerdict.unsupported.rawValue {
                #expect(!line[5].isEmpty && !line[5].hasPrefix("failed"), "\(line)")
            } else {
                #expect(Array(observed.keys.prefix(experiment.keys.count)) == experiment.keys, "\(line)")
            }
        }
    }

    @Test func thePageShowsTheRowsOfTheFile() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "claims-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let only = ["claims", "--only", "eventfd-coalesces", "eventfd-overflow"]
        let run = try BenchProcess.outcome(
            only + ["--csv", folder + "/claims.csv", "--markdown", folder + "/claims.md"])
        #expect(run.exit == 0, "\(run.complaints)")
        let page = try String(contentsOfFile: folder + "/claims.md", encoding: .utf8).split(separator: "\n")
        let lines = try rows(of: folder + "/claims.csv").dropFirst()
        #expect(
            page.suffix(2).elementsEqual(lines) {
                $0.contains("`\($1[0])`") && $0.contains("| \($1[3]) | `\($1[4])` |")
            })
    }

    @Test func thePageSaysWhyThereIsNoVerdict() {
        let record = ClaimRecord(
            claim: "some-claim", statement: "it is so", source: "E", verdict: "unsupported", observed: "",
            detail: "failed: a | b", durationMs: 1, finding: "Not observed.")
        let page = claimsMarkdown(for: [record], kernel: "6.0", processors: 2, date: "2026-01-31")
        #expect(page.contains("| unsupported | failed: a \\| b |"))
    }

    private func rows(of file: String) throws -> [[String]] {
        var tokenizer = CSVTokenizer([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))), file: file)
        var rows: [[String]] = []
        var row: [CSVToken] = []
        while try tokenizer.next(into: &row) { rows.append(row.map(\.text)) }
        return rows
    }

    private static let groups = [
        "wakeups": Experiment.wakeups, "scripts": Experiment.scripts, "accepting": Experiment.accepting,
        "reuseport": Experiment.reusePort, "order": Experiment.order, "lifetime": Experiment.lifetime,
        "rings": Experiment.rings, "waiting": Experiment.waiting, "eventfd": Experiment.eventFD,
        "scale": Experiment.scale,
    ]

    @Test func anUnknownNameIsRefusedInOneLineThatNamesWhatExists() throws {
        let run = try BenchProcess.outcome(["claims", "--only", "accept-lt-shared-set", "no-such-claim"])
        #expect(run.exit == 64)
        #expect(run.output.isEmpty)
        let lines = run.complaints.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(run.complaints.contains("no-such-claim") && run.complaints.contains("life-fork-ghost"))
    }

    @Test func aFileThatCannotBeWrittenIsRefusedBeforeAnythingRuns() throws {
        let run = try BenchProcess.outcome(["claims", "--csv", "/nonexistent/claims.csv"])
        #expect(run.exit == 64)
        #expect(run.complaints.contains("--csv") && run.complaints.split(separator: "\n").count == 1)
    }
}
