import Foundation
import Records
import TestSupport
import Testing

@Suite struct BadInputTests {
    struct Damage: CustomTestStringConvertible, Sendable {
        let name: String
        let says: String
        let line: Int
        let edit: @Sendable (String) -> String
        var testDescription: String { name }
    }

    private static let row = storedRows(rounds: 1)[0].csvRow()

    /// The file with one more row, in which `old` is replaced.
    private static func addRow(_ old: String, _ new: String) -> @Sendable (String) -> String {
        let changed = row.replacingOccurrences(of: old, with: new)
        precondition(changed != row)
        return { $0 + changed.replacingOccurrences(of: "epoll-et-1,", with: "epoll-et-11,") }
    }

    static let damages: [Damage] = [
        Damage(name: "empty file", says: "the file is empty", line: 1) { _ in "" },
        Damage(name: "missing column", says: "column workers is missing from the header", line: 1) {
            $0.replacingOccurrences(of: ",workers,", with: ",")
        },
        Damage(name: "wrong schema version", says: "schema_version is \"7\"", line: 12) { $0 + "7" + row.dropFirst() },
        Damage(name: "broken row", says: "the row has 3 fields", line: 12) { $0 + "1,2,3\n" },
        Damage(name: "truncated last line", says: "the last line is cut off", line: 11) { String($0.dropLast(9)) },
        Damage(name: "CRLF", says: "a carriage return", line: 1) { $0.replacingOccurrences(of: "\n", with: "\r\n") },
        Damage(
            name: "a number that is none", says: "column server_cpu_ns_per_op is not a number: \"fast\"", line: 12,
            edit: addRow(",4990,", ",fast,")),
        Damage(
            name: "a negative number", says: "column server_cpu_ns_per_op is out of range", line: 12,
            edit: addRow(",4990,", ",-1,")),
        Damage(
            name: "a number beyond 64 bits", says: "column operations is out of range", line: 12,
            edit: addRow(",100000,", ",99999999999999999999,")),
        Damage(name: "a number beyond a double", says: "is out of range", line: 12, edit: addRow(",4990,", ",1e999,")),
        Damage(
            name: "an unknown status", says: "column status is not one of", line: 12, edit: addRow(",ok,", ",fine,")),
        Damage(name: "an open quote", says: "never closed", line: 12, edit: addRow(",ok,", ",\"ok,")),
        Damage(name: "a zero byte", says: "a zero byte", line: 12, edit: addRow(",ok,", ",\0,")),
        Damage(name: "damage after a quoted line break", says: "1 fields", line: 14) {
            $0
                + row.replacingOccurrences(of: ",ok,,", with: ",void,\"one\ntwo\",")
                .replacingOccurrences(of: "epoll-et-1,", with: "epoll-xx-1,") + "x\n"
        },
    ]

    @Test(arguments: damages) func damageIsToldWithItsPlace(_ damage: Damage) async throws {
        let folder = try BenchFolder()
        try folder.write("a", rows: storedRows())
        try folder.write("b/runs.csv", damage.edit(folder.text("a/runs.csv")))
        for arguments in ["compare a b", "compare b a", "export b --format bmf", "history b"] {
            let outcome = try await folder.bench(arguments)
            #expect(outcome.exit == 64 && outcome.output.isEmpty, "\(arguments): \(outcome.complaints)")
            #expect(outcome.complaintLines.count == 1, "\(outcome.complaints)")
            let place = try #require(
                outcome.complaints.firstMatch(of: #/bench: b/runs\.csv:(\d+):(\d+): /#), "\(outcome.complaints)")
            #expect(Int(place.1) == damage.line, "\(outcome.complaints)")
            #expect(outcome.complaints.contains(damage.says), "\(outcome.complaints)")
        }
    }

    /// Before anything runs: no folder of results is left.
    @Test(arguments: [["--server", "mine=./mine {socket}"], ["--target", "unix:/tmp/mine"]])
    func fastOpenIsRefusedOfAUnixSocket(_ server: [String]) async throws {
        let folder = try BenchFolder()
        let outcome = try await folder.bench(["--workload", "crr", "--fast-open", "--output", "out"] + server)
        #expect(outcome.exit == 64 && outcome.output.isEmpty && outcome.complaintLines.count == 1)
        #expect(outcome.complaints.contains("--fast-open is an option of TCP, and "), "\(outcome.complaints)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
    }

    @Test func quotedLineBreaksAreRead() async throws {
        let folder = try BenchFolder()
        let rows = storedRows { $0.pinning = "server=0,1 client=2\n\"quoted\"" }
        try folder.write("a", rows: rows)
        try folder.write(
            "b",
            rows: rows.map { row in
                var row = row
                row.startedAt = "2026-02-01T12:00:00Z"
                return row
            })
        #expect(try await folder.bench("compare a b").exit == 0)
    }

    @Test func aFileWithoutRowsHasNothingToCompare() async throws {
        let folder = try BenchFolder()
        try folder.write("a", rows: [])
        try folder.write("b", rows: storedRows())
        let outcome = try await folder.bench("compare a b")
        #expect(outcome.exit == 3 && outcome.complaints.contains("the base holds no runs"))
    }

    @Test func whatIsNoFileIsRefused() async throws {
        let folder = try BenchFolder()
        try folder.write("a/runs.csv/x", "")
        try folder.write("b", rows: storedRows())
        let outcome = try await folder.bench("compare a b")
        #expect(outcome.exit == 64 && outcome.complaints.contains("a/runs.csv cannot be read"))
    }
}
