import Foundation
import TestSupport
import Testing

/// What `bench` writes to terminals of several widths, standard error and progress included.
@Suite(.serialized) struct WidthTests {
    static let widths = [40, 80, 200]

    /// The lines of a command on a terminal so wide; nil where none can be made.
    private func lines(
        _ arguments: String, width: Int, exit: Int32 = 0, in folder: BenchFolder,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String]? {
        guard isInstalled("script") else { return nil }
        let command = "stty cols \(width) rows 50; exec '\(BenchProcess.path)' \(arguments)"
        let (_, outcome) = try await BenchProcess.run(
            [], under: ["sh", "-c", "cd \"$0\" && exec script -qec \"$1\" /dev/null", folder.url.path(), command],
            environment: ["TERM": "xterm", "NO_COLOR": ""])
        #expect(outcome.exit == exit, "\(outcome.output)", sourceLocation: sourceLocation)
        // Progress is drawn over and over at the beginning of its line.
        return outcome.output.replacing(/\u{1b}\[[0-9;]*[mK]/, with: "").split(whereSeparator: \.isNewline)
            .flatMap { $0.split(separator: "\r") }.map(String.init)
    }

    private func expectFit(_ lines: [String], _ width: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(!lines.isEmpty, sourceLocation: sourceLocation)
        let wide = lines.filter { $0.count > width }
        #expect(wide.isEmpty, "\(wide)", sourceLocation: sourceLocation)
    }

    private func folder() throws -> BenchFolder {
        let folder = try BenchFolder()
        try folder.write("a", rows: storedRows() + storedRows("epoll-lt"))
        try folder.write("b", rows: storedRows(cost: 5_001) + storedRows("epoll-lt", cost: 5_002))
        return folder
    }

    @Test(arguments: widths, ["--help", "list", "doctor", "history .", "compare --modes et,lt a"])
    func aCommandFits(_ width: Int, _ command: String) async throws {
        guard let lines = try await lines(command, width: width, in: folder()) else { return }
        expectFit(lines, width)
    }

    @Test(arguments: widths) func everyHelpFits(_ width: Int) async throws {
        let folder = try BenchFolder()
        for command in [
            "run", "serve", "list", "claims", "compare", "check", "calibrate", "history", "plot", "report", "export",
            "doctor",
        ] {
            guard let lines = try await lines("help \(command)", width: width, in: folder) else { return }
            expectFit(lines, width)
            #expect(lines.contains("EXAMPLES:"))
        }
    }

    @Test(arguments: widths) func aRunFitsWithItsProgressAndWarnings(_ width: Int) async throws {
        let folder = try BenchFolder()
        let run = "--mode lt,exclusive,multishot --connections 1,64 --drain 20 --rounds 2 --output out"
        guard let lines = try await lines(run, width: width, in: folder) else { return }
        expectFit(lines, width)
        #expect(lines.contains { $0.contains("conn/s") } && lines.contains { $0.contains("12") })
    }

    @Test(arguments: widths) func mistakesFit(_ width: Int) async throws {
        for mistake in ["--mode nonsense", "nonsense", "--nonsense", "claims --only nonsense", "--duration nan"] {
            guard let lines = try await lines(mistake, width: width, exit: 64, in: BenchFolder()) else { return }
            expectFit(lines, width)
        }
    }

    @Test func aWideTerminalIsUsed() async throws {
        guard let wide = try await lines("list", width: 200, in: BenchFolder()),
            let narrow = try await lines("list", width: 40, in: BenchFolder())
        else { return }
        #expect((wide.map(\.count).max() ?? 0) > 100 && wide.count < narrow.count / 2)
    }

    @Test func aMistakeIsOneLineWhereNoTerminalIs() async throws {
        let (_, outcome) = try await BenchProcess.run(["--mode", "nonsense"], environment: ["COLUMNS": "40"])
        #expect(outcome.complaintLines.count == 1)
    }

    @Test(arguments: ["0", "-5", "many", "99999999999999999999", ""])
    func nonsenseInTheEnvironmentIsNoWidth(_ columns: String) async throws {
        let (_, outcome) = try await BenchProcess.run(["list"], environment: ["COLUMNS": columns])
        let lines: [Substring] = outcome.output.split(separator: "\n")
        #expect(outcome.exit == 0 && lines.count > 20 && lines.allSatisfy { $0.count <= 80 })
    }
}
