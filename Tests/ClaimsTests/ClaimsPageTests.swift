import Foundation
import Testing

@testable import Claims
@testable import Loops
@testable import Runs

/// The kept page of verdicts.
@Suite struct ClaimsPageTests {
    @Test func showsEveryStatement() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let page = folder.appending(path: "../../results/claims.md")
        let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.elementsEqual(Experiment.all) { $0.hasPrefix("| `\($1.id)` | \($1.statement) |") })
    }
}
