import Foundation
import Records
import Testing

@testable import Workloads

/// The documents show the tables of the code.
@Suite struct ModeTableTests {
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

    @Test func namesAndAliasesAreUnambiguous() {
        let names = Mode.all.map(\.name) + Mode.all.compactMap(\.alias)
        #expect(Set(names).count == names.count)
        for name in names { #expect(Mode.named(name) != nil) }
        #expect(Mode.named("epoll") == nil)
    }

    @Test func aModeWithoutRingsIsSupportedEverywhere() {
        for mode in Mode.all {
            let reason = mode.unsupportedReason(rings: .unavailable("no"))
            #expect((reason == "no") == mode.mechanism.usesRing)
        }
    }
}
