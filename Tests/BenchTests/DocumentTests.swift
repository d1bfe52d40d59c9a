import Foundation
import Loops
import Records
import Reports
import Testing

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

    @Test func theResultsPageShowsTheVariants() throws {
        #expect(try text("results/README.md").contains(Mode.markdownVariants))
    }

    @Test func theREADMEShowsTheTableOfTheKeptRun() throws {
        let file = "results/2026-11-21-27165d54/accept/runs.csv"
        let rows = try RunRecord.read(Array(text(file).utf8), file: file)
        let sorted = Mode.all.flatMap { mode in rows.filter { $0.mode == mode.name } }
        let table = summaryTable(for: sorted, width: 80, styled: false)
        #expect(try text("README.md").contains("```\n\(table)```\n"), "\(table)")
    }

    @Test(arguments: [
        "README.md", "CONTRIBUTING.md", "Benchmarks/README.md", "results/README.md", "CShims/README.md",
        "Examples/README.md",
    ])
    func whatAPageLinksToIsThere(_ page: String) throws {
        let folder = Self.root.appendingPathComponent(page).deletingLastPathComponent()
        for link in try text(page).matches(of: /\]\(([^)#:\s]+)(#[^)]*)?\)/) {
            let path = folder.appendingPathComponent(String(link.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "\(page) links to \(link.1)")
        }
    }

    /// A path in back-quotes starts at the page or at the root; `*` stands for any part of a file's name.
    @Test func theFilesThatTheHarnessPageNamesAreThere() throws {
        let page = try text("Benchmarks/README.md")
        let paths = page.matches(of: /`([A-Za-z][\w.+*-]*\/[\w.+*\/-]*)`/).map { String($0.1) }
        #expect(paths.count > 20)
        for path in paths {
            let isThere = ["Benchmarks/", ""].contains { place in
                let file = Self.root.appendingPathComponent(place + path)
                guard let star = file.lastPathComponent.firstIndex(of: "*") else {
                    return FileManager.default.fileExists(atPath: file.path)
                }
                let names = try? FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path)
                let (start, end) = (file.lastPathComponent[..<star], file.lastPathComponent[star...].dropFirst())
                return names?.contains { $0.hasPrefix(start) && $0.hasSuffix(end) } == true
            }
            #expect(isThere, "Benchmarks/README.md names \(path)")
        }
    }
}
