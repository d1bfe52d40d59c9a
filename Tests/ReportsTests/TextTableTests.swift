import Records
import Reports
import Testing

@Suite struct TextTableTests {
    private func table() -> TextTable {
        var table = TextTable(headings: [
            .init(title: "name", alignment: .left), .init(title: "CPU", unit: "/conn"), .init(title: "n", rank: 1),
            .init(title: "why", alignment: .left, wraps: true),
        ])
        table.lines = [
            .section("a heading"), .cells(["one", "5.00 µs", "7", "because it is so and not otherwise"]),
            .note("two", "unsupported: there is none of it"),
        ]
        return table
    }

    @Test func sentencesAreWrappedInTheirColumn() {
        let lines = table().render(width: 40, styled: false).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "name      CPU  n  why")
        #expect(lines[3] == "one   5.00 µs  7  because it is so and")
        #expect(lines[4] == "                  not otherwise")
    }

    @Test func aColumnWithoutRoomIsNamed() {
        let text = table().render(width: 34, styled: false)
        #expect(text.hasPrefix("name     CPU why") && text.hasSuffix("No room for: n.\n"), "\(text)")
    }

    @Test func whereNothingFitsRowsBecomeParagraphs() {
        let text = table().render(width: 24, styled: false)
        let expected = """
            a heading
            one
              CPU/conn 5.00 µs  n 7
              because it is so and
              not otherwise
            two
              unsupported: there is
              none of it

            """
        #expect(text == expected, "\(text)")
    }

    @Test func longNamesBreakAtHyphensAndPathsStayWhole() {
        #expect(wrap("a-long-name-of-a-thing x", width: 10) == ["a-long-", "name-of-a-", "thing x"])
        #expect(
            wrap("in results/2026-11-21-27165d54/accept", width: 10) == ["in", "results/2026-11-21-27165d54/accept"])
    }
}
