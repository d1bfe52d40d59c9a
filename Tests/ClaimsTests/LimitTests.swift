import Foundation
import TestSupport
import Testing

@testable import Records
@testable import Claims
@testable import Loops
@testable import Runs

/// Claims in a process that may not have what they take for granted.
@Suite struct LimitTests {
    /// The verdict and the detail of each, with a descriptor limit.
    private func verdicts(of claims: [String], limit: Int) throws -> [[String]] {
        let file = FileManager.default.temporaryDirectory.appending(path: "claims-\(UUID().uuidString).csv").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let run = try BenchProcess.outcome(
            ["claims", "--csv", file, "--only"] + claims, under: BenchProcess.limited(descriptors: limit))
        #expect(run.exit == 0, "\(run.complaints)")
        var tokenizer = CSVTokenizer([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))), file: file)
        var rows: [[String]] = []
        var row: [CSVToken] = []
        while try tokenizer.next(into: &row) { rows.append([row[3].text, row[5].text]) }
        #expect(rows.count == claims.count + 1)
        return Array(rows.dropFirst())
    }

    @Test(arguments: [64, 256]) func whatNeedsMoreDescriptorsSaysHowMany(limit: Int) throws {
        let claims = [
            "accept-40k", "reuseport-close-loss", "reuseport-close-migrate", "reuseport-ebpf-migrate",
            "life-rebuild-cost", "eventfd-vs-pipe", "scale-wait-cost",
        ]
        for row in try verdicts(of: claims, limit: limit) {
            #expect(row[0] == "unsupported", "\(row)")
            let needs = /needs [0-9 ]+ descriptors, the limit is [0-9]+: ulimit -n [0-9]+00/
            #expect(row[1].wholeMatch(of: needs) != nil, "\(row)")
            #expect(row[1].contains("limit is \(limit):"))
        }
    }

    @Test func scriptsNeedFew() throws {
        let claims = ["accept-et-spurious", "read-et-split", "life-dup2-cure", "eventfd-first-reader-wins"]
        for row in try verdicts(of: claims, limit: 64) {
            #expect(!["unsupported"].contains(row[0]), "\(row)")
        }
    }
}
