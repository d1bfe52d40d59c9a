import Foundation
import Records
import Reports
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// The documents show the tables of the code.
@Suite struct DocumentTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test func theREADMEShowsTheModeTable() throws {
        #expect(try text("README.md").contains(Mode.markdownTable))
    }

    @Test func theResultsPageShowsEveryColumn() throws {
        #expect(try text("results/README.md").contains(Column.markdownTable))
    }

    @Test func theREADMEShowsTheTableOfTheKeptRun() throws {
        let file = "results/2026-11-21-27165d54/accept/runs.csv"
        let rows = try RunRecord.read(Array(text(file).utf8), file: file)
        let sorted = Mode.all.flatMap { mode in rows.filter { $0.mode == mode.name } }
        let table = summaryTable(for: sorted, width: 80, styled: false)
        #expect(try text("README.md").contains("```\n\(table)```\n"), "\(table)")
    }
}
