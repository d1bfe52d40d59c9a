import Foundation
import Pictures
import Records
import TestSupport
import Testing

/// The commands as a user runs them.
@Suite struct CommandTests {
    static func results(_ folder: PicturedFolder) throws -> TemporaryFolder {
        let directory = try TemporaryFolder()
        try directory.write("runs.csv", RunRecord.csvHeader + folder.records.map { $0.csvRow() }.joined())
        let log = HistogramLog.header(startSeconds: 0, date: "2026-01-31T12:00:00Z")
        try directory.write("latency.hlog", log + folder.intervals.map(HistogramLog.line).joined())
        return directory
    }

    @Test func anUnknownKindListsTheKinds() throws {
        let result = try BenchProcess.outcome(["plot", ".", "--kind", "pie"])
        #expect(result.exit == 64)
        let kinds = PictureKind.allCases.map(\.rawValue).joined(separator: ", ")
        #expect(result.complaints == "bench: unknown kind 'pie'; kinds: \(kinds)\n")
    }

    @Test func anUnknownFormatListsTheFormats() throws {
        let result = try BenchProcess.outcome(["plot", ".", "--format", "gif"])
        #expect(result.exit == 64)
        #expect(result.complaints == "bench: unknown format 'gif'; formats: svg, png\n")
    }

    @Test(arguments: ["plot", "report"]) func aFolderWithoutRunsIsRefused(_ command: String) throws {
        let folder = try TemporaryFolder()
        let result = try BenchProcess.outcome([command, folder.path])
        #expect(result.exit == 64)
        #expect(
            result.complaints == "bench: \(folder.path)/runs.csv does not exist; name a folder that bench run wrote\n")
    }

    @Test(arguments: ["plot", "report"]) func aMissingColumnIsNamed(_ command: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("runs.csv", RunRecord.csvHeader.replacing(",mode,", with: ","))
        let result = try BenchProcess.outcome([command, folder.path])
        #expect(result.exit == 64)
        #expect(result.complaints == "bench: \(folder.path)/runs.csv:1:1: column mode is missing from the header\n")
    }

    @Test func withoutGnuplotTheScriptsAreLeft() throws {
        let folder = try Self.results(Samples.folder([Samples.record()]))
        let result = try BenchProcess.outcome(["plot", folder.path], environment: ["PATH": "/nonexistent"])
        #expect(result.exit == 6)
        #expect(
            result.complaints == "bench: gnuplot is not installed; install it with: apt-get install gnuplot-nox; "
                + "the scripts are in \(folder.path)/plots\n")
        #expect(try folder.read("plots/throughput.gnuplot").contains("set output 'throughput.svg'"))
    }

    @Test func withoutGnuplotTheReportSaysSo() throws {
        let folder = try Self.results(Samples.folder([Samples.record()]))
        let result = try BenchProcess.outcome(["report", folder.path], environment: ["PATH": "/nonexistent"])
        #expect(result.exit == 0)
        #expect(result.output == "\(folder.path)/report.html\n")
        #expect(
            result.complaints == "bench: gnuplot is not installed; install it with: apt-get install gnuplot-nox; "
                + "the report has no pictures\n")
        let html = try folder.read("report.html")
        #expect(html.contains("There are no pictures") && !html.contains("<img"))
    }

    @Test func aBrokenLogLeavesTheOtherPictures() throws {
        let folder = try Self.results(Samples.folder([Samples.record()]))
        try folder.write("latency.hlog", "Tag=epoll-lt,0.000,1.000,1.000,AAAA\n")
        let result = try BenchProcess.outcome(["report", folder.path], environment: ["PATH": "/nonexistent"])
        #expect(result.exit == 3)
        #expect(result.complaints.contains("\(folder.path)/latency.hlog:1:32: the histogram holds"))
        #expect(try folder.read("report.html").contains("so there are no pictures of latencies"))
    }

    @Test(.enabled(if: isInstalled("gnuplot"))) func everyHostileNameIsDrawnAndDoesNoHarm() throws {
        // A file with a zero byte is refused before anything is drawn.
        let names = Samples.hostileNames.filter { !$0.contains("\0") && !$0.isEmpty }
        let folder = try Self.results(Samples.folder(modes: names, rounds: 2))
        let drawn = try BenchProcess.outcome(["plot", folder.path])
        #expect(drawn.exit == 0)
        #expect(drawn.complaints == "")
        let pictures = ["cost", "fairness", "latency", "throughput", "time"]
        let expected = pictures.flatMap { ["\($0).dat", "\($0).gnuplot", "\($0).svg"] }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/plots").sorted() == expected)
        for picture in pictures {
            let svg = try folder.read("plots/\(picture).svg")
            #expect(svg.contains("&lt;script>alert(1)&lt;/script>") && !svg.contains("<script"))
            for name in ["it’s", "`touch pwned`", "@GPFUN", "a_b^{c}", "back\\slash\\", "50 %s %n %%"] {
                #expect(svg.contains(">\(name)</text>"), "\(name)")
            }
            #expect(XMLCheck.isWellFormed(svg))
        }
    }

    @Test(.enabled(if: isInstalled("gnuplot")), arguments: [1, 2, 50]) func anyNumberOfModesIsDrawn(_ count: Int)
        throws
    {
        let modes = (1...count).map { "mode-\($0)" }
        for rounds in [1, 2] {
            let folder = try Self.results(Samples.folder(modes: modes, rounds: rounds))
            let result = try BenchProcess.outcome(["report", folder.path])
            #expect(result.exit == 0 && result.complaints == "")
            let html = try folder.read("report.html")
            #expect(html.ranges(of: "<img ").count == (rounds == 1 ? 4 : 5))
        }
    }

    @Test func foldersWithoutACommonArmAreNotComparedInAReport() throws {
        func folder(_ workload: String, day: Int) throws -> TemporaryFolder {
            try Self.results(
                Samples.folder([
                    Samples.record { ($0.workload, $0.startedAt) = (workload, "2026-02-0\(day)T12:00:00Z") }
                ]))
        }
        let accept = try folder("accept", day: 1)
        for (other, isCompared) in [(try folder("read", day: 2), false), (try folder("accept", day: 2), true)] {
            let result = try BenchProcess.outcome(["report", accept.path, other.path])
            #expect(result.exit == 0)
            #expect(result.complaints.contains("noise floor") == isCompared, "\(result.complaints)")
        }
    }

    @Test(.enabled(if: isInstalled("gnuplot"))) func everyKindIsDrawnInEveryFormat() throws {
        func folder(_ number: Int) throws -> TemporaryFolder {
            try Self.results(
                Samples.folder(
                    (1...6).flatMap { round in
                        [1, 64].map { connections in
                            Samples.record(round: round, connections: connections) {
                                $0.startedAt = "2026-0\(number)-01T00:00:00Z"
                                $0.serverCpuNsPerOp = Double(1_000 * number + round)
                            }
                        }
                    }))
        }
        let folders = try (1...3).map(folder)
        let output = try TemporaryFolder()
        for (paths, kind) in [
            (folders.prefix(2), "comparison"), (folders.prefix(3), "history"), (folders.prefix(1), "growth"),
        ] {
            for format in PictureFormat.allCases.map(\.rawValue) {
                let result = try BenchProcess.outcome(
                    ["plot"] + paths.map(\.path) + ["--kind", kind, "--format", format, "--output", output.path])
                // A machine that was never calibrated has no noise floor to compare with, which is said.
                let complaints = result.complaints.split(separator: "\n").filter { !$0.contains("noise floor") }
                #expect(result.exit == 0 && complaints.isEmpty)
                #expect(result.output == "\(output.path)/\(kind).\(format)\n")
                #expect(try output.contents.contains("\(kind).\(format)"))
            }
        }
    }

    @Test(.enabled(if: isInstalled("gnuplot"))) func aScriptDrawsItsPictureAgain() throws {
        let folder = try Self.results(Samples.folder(modes: ["epoll-lt"], rounds: 2))
        #expect(try BenchProcess.outcome(["plot", folder.path, "--kind", "latency"]).exit == 0)
        let first = try folder.read("plots/latency.svg")
        try FileManager.default.removeItem(atPath: folder.path + "/plots/latency.svg")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gnuplot", "latency.gnuplot"]
        process.currentDirectoryURL = URL(filePath: folder.path + "/plots")
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try folder.read("plots/latency.svg") == first)
    }

    @Test func claimsAndRepetitionAreShown() throws {
        let folder = try Self.results(Samples.folder([Samples.record()]))
        try folder.write(
            "claims.csv",
            CSV.row(["claim", "statement", "source", "verdict", "observed", "detail", "duration_ms"])
                + CSV.row(["accept-lt", "All <wake>", "man 7 epoll", "does-not-hold", "woken=1", "", "3"]))
        try folder.write(
            "run.json",
            #"""
            {"schema_version": 1, "started_at": "2026-01-31T12:00:00Z", "build": "release", "git_commit": "0123abc",
             "arguments": ["--mode", "it's", "--output", "x y"], "seed": 7, "warnings": ["hot & loud"],
             "order": [], "interrupted": false, "machine": {
               "architecture": "x86_64", "clock_source": "tsc", "descriptor_limit": 20000, "kernel": "6.18.0",
               "machine_id": "m1", "memory_bytes": 1, "processor": "Some", "processors": 2, "somaxconn": 4096}}
            """#)
        #expect(try BenchProcess.outcome(["report", folder.path], environment: ["PATH": "/nonexistent"]).exit == 0)
        let html = try folder.read("report.html")
        #expect(html.contains("<td class=\"does-not-hold\">does-not-hold</td>") && html.contains("All &lt;wake&gt;"))
        #expect(html.contains("hot &amp; loud"))
        #expect(html.contains(".build/release/bench --mode &#39;it&#39;\\&#39;&#39;s&#39; --seed 7</pre>"))
    }
}
