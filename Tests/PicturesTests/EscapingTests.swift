import Foundation
import Records
import Testing

@testable import Pictures

@Suite struct EscapingTests {
    /// The words and signs of a script outside of its strings and comments; `nil` if a string is not closed on its
    /// line. Numbers and colours are left out.
    private static func words(_ script: String) -> Set<String>? {
        var words: Set<String> = []
        for line in script.utf8.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            let parts = line.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
            guard parts.count % 2 == 1 else { return nil }
            for part in stride(from: 0, to: parts.count, by: 2).map({ parts[$0] }) {
                let isBetween: (UInt8) -> Bool = { (0x28...0x3b).contains($0) || $0 == 0x20 }
                words.formUnion(part.split(whereSeparator: isBetween).map { String(decoding: $0, as: UTF8.self) })
            }
        }
        return words
    }

    @Test(arguments: Samples.hostileNames) func namesStayWithinStrings(_ name: String) throws {
        let folder = Samples.folder(
            (1...2).flatMap { round in
                [1, 64].map { connections in
                    Samples.record(name, round: round, connections: connections) {
                        $0.workload = name
                        $0.pinning = name
                        $0.gitCommit = name
                    }
                }
            }, name: name)
        let harmless = Samples.folder(
            (1...2).flatMap { round in [1, 64].map { Samples.record("m", round: round, connections: $0) } })
        for layout in Layout.allCases {
            let drawn = Samples.pictures([folder], layout: layout)
            let known = try Samples.pictures([harmless], layout: layout).pictures
                .reduce(into: Set<String>()) { $0.formUnion(try #require(Self.words($1.script))) }
            #expect(!drawn.pictures.isEmpty)
            for picture in drawn.pictures {
                let words = try #require(Self.words(picture.script))
                #expect(words.isSubset(of: known), "\(words.subtracting(known))")
                #expect(picture.name.allSatisfy { $0.isLetter || "-_".contains($0) || $0.isNumber })
            }
        }
    }

    @Test(arguments: Samples.hostileNames) func dataFilesHoldNumbersAlone(_ name: String) {
        let folder = Samples.folder(modes: [name, "epoll-lt"], rounds: 3)
        for picture in Samples.pictures([folder]).pictures {
            for line in picture.data.split(separator: "\n", omittingEmptySubsequences: false) where !line.hasPrefix("#")
            {
                #expect(line.split(separator: " ").allSatisfy { Double($0)?.isFinite == true })
            }
        }
    }

    @Test func gnuplotStringsAreWhatTheySay() {
        #expect(GnuplotText.quoted("'; it's") == "'’; it’s'")
        #expect(GnuplotText.quoted("a\nb\u{0}c\r") == "'a b c '")
        #expect(GnuplotText.quoted("`x` \\n %s @y") == "'`x` \\n %s @y'")
        #expect(!GnuplotText.quoted("]]>").contains("]]>"))
        #expect(GnuplotText.quoted(String(repeating: "x", count: 5_000)).count < 200)
    }

    @Test func numbersHaveAPointAndNoExponent() {
        #expect(GnuplotText.number(1e-7) == "0.0000001")
        #expect(GnuplotText.number(1.5e12) == "1500000000000")
        #expect(GnuplotText.number(-2.25) == "-2.25")
        #expect(GnuplotText.number(.nan) == "0")
    }

    @Test func markupIsEscaped() {
        #expect(Markup.escaped("<b>&\"'`\u{1}") == "&lt;b&gt;&amp;&quot;&#39;&#96;\u{fffd}")
    }

    @Test(arguments: Samples.hostileNames.filter { !$0.contains("\0") }) func reportsHoldNothingThatRuns(_ name: String)
        throws
    {
        let folder = Samples.folder(
            [Samples.record(name), Samples.record("epoll-lt") { ($0.status, $0.reason) = (.failed, name) }], name: name)
        let input = PictureInput([folder])
        let claims = try CSVTable(
            Array((CSV.row(["claim", "statement", "verdict"]) + CSV.row([name, name, name])).utf8),
            file: "claims.csv")
        let run = Report.Run(
            name: name, facts: [(name, name)], command: name, repetition: [name], warnings: [name],
            files: [(name, name)], claims: claims)
        let drawn = Samples.pictures([folder]).pictures
        let svg = "<svg><title>Gnuplot</title><text>\(Markup.escaped(name))</text></svg>"
        let pictures = drawn.map { EmbeddedPicture($0, wide: svg, narrow: svg) }
        let html = Report(input, runs: [run], pictures: pictures, notes: [name]).html
        #expect(!html.contains("<script"))
        let known = [
            "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "div", "ul",
            "li", "strong", "section", "figure", "picture", "source", "img", "table", "thead", "tbody", "tr", "th",
            "td", "small", "pre", "details", "summary",
        ]
        for part in html.utf8.split(separator: UInt8(ascii: "<")).dropFirst() {
            let tag = part.drop { $0 == UInt8(ascii: "/") }.prefix { !" >\n".utf8.contains($0) }
            #expect(known.contains(String(decoding: tag, as: UTF8.self)))
        }
        // Nothing is loaded: the only addresses are data.
        #expect(!html.contains("http://") && !html.contains("https://"))
        for attribute in ["src=\"", "srcset=\""] {
            for place in html.ranges(of: attribute) {
                #expect(html[place.upperBound...].hasPrefix("data:image/svg+xml;base64,"))
            }
        }
        #expect(!html.contains("href"))
    }
}

@Suite struct ReportTests {
    private static func html(_ folder: PicturedFolder, notes: [String] = []) -> String {
        let run = Report.Run(
            name: "run", facts: [("kernel", "Linux 6.18.0")], command: "bench --mode all",
            repetition: ["swift build -c release"], warnings: ["the fan was loud"],
            files: [("runs.csv", "a,b\n1,2\n")], claims: nil)
        return Report(PictureInput([folder]), runs: [run], pictures: [], notes: notes).html
    }

    /// The text of the first paragraph below the header.
    private static func firstSentence(_ html: String) throws -> Substring {
        let body = try #require(html.range(of: "</header>"))
        let start = try #require(html[body.upperBound...].range(of: "<p>"))
        return html[start.upperBound...].prefix { $0 != "<" }
    }

    @Test func theFirstSentenceIsTheAnswer() throws {
        let records = (1...7).flatMap { round in
            [("poll", 6_000.0), ("epoll-et", 5_000), ("uring-multishot", 4_000)].map { mode, cost in
                Samples.record(mode, round: round) {
                    $0.serverCpuNsPerOp = cost + Double(round)
                    if mode == "uring-multishot" { $0.syscallsPerOp = 0.95 }
                    if mode == "poll" { $0.spuriousWakeupsPerOp = 0.9 }
                }
            }
        }
        let html = Self.html(Samples.folder(records))
        #expect(
            try Self.firstSentence(html)
                == "Accept: uring-multishot costs the server least, 4.00 µs of CPU time and 0.95 system calls per "
                + "connection; epoll-et follows with 5.00 µs.")
        let finding = try #require(html.range(of: "Accept: uring"))
        for later in ["poll woke workers for nothing", "the fan was loud", "<table>", "bench --mode all", "a,b\n1,2"] {
            let place = try #require(html.range(of: later))
            #expect(finding.lowerBound < place.lowerBound)
        }
    }

    @Test func aChoiceStandsBeforeTheFindings() throws {
        let folder = Samples.folder(modes: ["poll"], rounds: 2)
        let run = Report.Run(
            name: "run", answer: ["For tests: poll <or> not.", "5 µs each."], facts: [], command: "", repetition: [],
            warnings: [], files: [], claims: nil)
        let html = Report(PictureInput([folder]), runs: [run], pictures: [], notes: []).html
        #expect(try Self.firstSentence(html) == "For tests: poll &lt;or&gt; not.")
        #expect(html.contains("<li>5 µs each.</li>"))
        // The rows of a choice rank nothing beside it.
        #expect(!html.contains("Accept: poll"))
    }

    @Test func whatWeakensTheAnswerStandsBesideIt() throws {
        let html = Self.html(AxisTests.rates)
        let box = try #require(html.range(of: "class=\"finding\">"))
        let text = html[box.upperBound...].prefix(
            upTo: try #require(html.range(of: "<div class=\"warnings\"")).lowerBound)
        #expect(text.contains("Not ranked, for they did not keep the rate that was offered: "))
    }

    @Test func offeredAndServedStandSideBySideAndRowsAreMarked() throws {
        let html = Self.html(AxisTests.rates)
        #expect(html.contains("offered<small>conn/s</small></th><th class=\"n\">served<small>conn/s</small></th>"))
        #expect(
            html.contains(
                "<tr><td>poll <strong>○</strong></td><td class=\"n\">5.01 µs</td><td class=\"n\">70.0k</td>"
                    + "<td class=\"n\">35.0k</td>"))
        #expect(
            html.contains(
                "<tr><td>uring-poll</td><td class=\"n\">5.01 µs</td><td class=\"n\">70.0k</td><td class=\"n\">70.0k</td>"
            ))
        #expect(html.contains("○ did not keep the rate that was offered"))
        #expect(!Self.html(Samples.folder(modes: ["poll"], rounds: 2)).contains("offered"))
    }

    /// The name and the place of each row, `epoll-et 1`.
    private static func places(_ html: String) -> [String] {
        html.matches(of: /<tr><td>([^<]*)<\/td><td class="n">([^<]*)<\/td>/).map { "\($0.1) \($0.2)" }
    }

    @Test func theBestStandsFirstInEachConditionAndEqualsShareANumber() {
        let records = [8, 64].flatMap { connections in
            (1...7).flatMap { round in
                [("poll", 6_000.0), ("epoll-lt", 5_001), ("epoll-et", 5_000), ("select", 1_000)].map { mode, cost in
                    Samples.record(mode, round: round, connections: connections) {
                        $0.serverCpuNsPerOp = cost + 10 * Double(round)
                        if mode == "poll" && connections == 64 { $0.serverCpuNsPerOp = 900 + Double(round) }
                        if mode == "select" { $0.throughputOpsPerS = 64 }
                    }
                }
            }
        }
        let html = Self.html(Samples.folder(records))
        #expect(
            Self.places(html) == [
                "epoll-et 1", "epoll-lt 1", "poll 3", "select –", "poll 1", "epoll-et 2", "epoll-lt 2", "select –",
            ])
        #expect(html.contains("Least server CPU first; those with the same # cannot be told apart from the first"))
        #expect(!Self.html(Samples.folder(modes: ["poll"], rounds: 7)).contains(">#<"))
    }

    @Test func aSearchIsNotMarkedForGoingBeyondWhatIsServed() {
        let records = (1...7).flatMap { round in
            [("poll", 4_000.0), ("epoll-et", 8_000)].map { mode, capacity in
                Samples.record(mode, round: round) {
                    ($0.slo, $0.saturated, $0.offeredOpsPerS) = ("p99=1ms", "yes", 200_000)
                    $0.capacityOpsPerS = capacity + Double(round)
                }
            }
        }
        let html = Self.html(Samples.folder(records))
        #expect(Self.places(html) == ["epoll-et 1", "poll 2"] && !html.contains("○"))
        #expect(html.contains("Accept: epoll-et holds most, 8.00k connections per second within p99=1ms; poll follows"))
    }

    @Test func rowsOfFilesBeforeTheColumnWereOfferedTheirRate() {
        let old = Samples.record("poll") { ($0.ratePerS, $0.throughputOpsPerS) = (70_000, 40_600) }
        #expect(
            Self.html(Samples.folder([old])).contains(
                "<strong>○</strong></td><td class=\"n\">5.01 µs</td><td class=\"n\">70.0k</td><td class=\"n\">40.6k</td>"
            ))
    }

    @Test func aModeWithWarningsIsMarkedAndTheyAreSaid() {
        let records = (1...3).map { round in
            Samples.record("poll", round: round) {
                $0.throughputOpsPerS = Double(round * 40_000)
                $0.latencyP99Ns = 1_200_000
                if round == 2 { $0.warnings = "stalled for 2 s of <3 s>" }
            }
        }
        let html = Self.html(Samples.folder(records))
        #expect(html.contains("<td>poll <strong>⚠</strong></td>"))
        #expect(html.contains("⚠ poll: stalled for 2 s of &lt;3 s&gt;"))
        #expect(html.contains("80.0k<small>40.0k–120k</small>"))
        #expect(html.contains("1.20 ms"))
    }

    @Test func rowsThatCannotBeUsedAreSaid() {
        let failed = Samples.folder(
            [Status.failed, .unsupported, .void].map { status in
                Samples.record(status.rawValue) { ($0.status, $0.reason) = (status, "because") }
            })
        let html = Self.html(failed)
        for status in ["failed", "unsupported", "void"] { #expect(html.contains("\(status): because")) }
        #expect(html.contains("No run ended well"))
    }

    /// What a browser prints: nothing cut off, and no heading without what it is of.
    @Test func printedPagesHoldWholeCommandsAndTheirHeadings() throws {
        let folder = Samples.folder(modes: ["poll"], rounds: 2)
        let run = Report.Run(
            name: "run", facts: [], command: "bench --mode all", repetition: ["swift build", "bench"], warnings: [],
            files: [], claims: nil)
        let svg = "<svg><title>Gnuplot</title></svg>"
        let pictures = Samples.pictures([folder]).pictures.map { EmbeddedPicture($0, wide: svg, narrow: svg) }
        let html = Report(PictureInput([folder]), runs: [run], pictures: pictures, notes: []).html
        #expect(html.contains("<pre class=\"command\">bench --mode all</pre>"))
        #expect(html.contains("<pre class=\"command\">swift build\nbench</pre>"))
        #expect(html.contains(".command{white-space:pre-wrap;overflow-wrap:anywhere}"))
        let print = html[try #require(html.range(of: "@media print")).lowerBound...]
        #expect(print.contains("tr,.finding,.warnings,pre.command{break-inside:avoid}"))
        #expect(print.contains("thead{display:table-header-group}") && print.contains("max-height:200mm"))
        // A heading and the first picture below it are one block.
        let blocks = html.components(separatedBy: "<div class=\"block\"><h2>").dropFirst()
        #expect(blocks.count == Set(pictures.map(\.picture.kind)).count)
        #expect(blocks.allSatisfy { $0.prefix(upTo: $0.range(of: "</div>")!.lowerBound).contains("<figure>") })
    }

    @Test func whatIsMissingIsSaid() {
        #expect(Self.html(Samples.folder([]), notes: ["There are no pictures"]).contains("There are no pictures"))
        #expect(Self.html(Samples.folder([])).contains("No run ended well"))
    }

    @Test func coloursFollowTheReadersScheme() {
        let svg = """
            <svg>
            <title>Gnuplot</title>
            <rect fill="#ffffff"/>
            <g fill="none" stroke="black">
            </g>
            <path stroke='rgb(  0, 114, 178)'/><text fill="rgb(31,35,41)">x</text><path stroke='rgb(1,2,3)'/>
            </svg>
            """
        let themed = EmbeddedPicture.themed(svg)
        #expect(themed.contains("stroke='var(--mblue)'") && themed.contains("fill=\"var(--tink)\""))
        #expect(themed.contains("rgb(1,2,3)") && !themed.contains("#ffffff\"") && !themed.contains("<g "))
        #expect(themed.contains("--mblue:#0072b2") && themed.contains("--mblue:#4a9eda"))
    }
}
