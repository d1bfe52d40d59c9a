import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct TerminalTests {
    private static let arguments = ["--mode", "lt,et", "--drain", "20", "--rounds", "2", "--output", "out"]
    private static let escape: Character = "\u{1b}"

    /// What `bench` writes to a terminal, with standard output and error mixed; `nil` where none can be made.
    private func onTerminal(_ more: [String] = [], environment: [String: String] = [:]) async throws -> String? {
        guard isInstalled("script") else { return nil }
        let words = (["'\(BenchProcess.path)'"] + Self.arguments + more).joined(separator: " ")
        let environment = ["TERM": "xterm", "NO_COLOR": ""].merging(environment) { _, new in new }
        // script(1) gives the command a terminal.
        let (_, outcome) = try await BenchProcess.run(
            [], under: ["sh", "-c", "exec script -qec \"\(words)\" /dev/null"], environment: environment)
        #expect(outcome.exit == 0, "\(outcome.output)")
        return outcome.output
    }

    @Test func aTerminalShowsProgressAndStyle() async throws {
        guard let output = try await onTerminal() else { return }
        #expect(output.contains("\r\u{1b}[K["))
        #expect(output.contains("] 3/4 "))
        #expect(output.contains("\u{1b}[1m"))
        #expect(output.contains("round 2 of 2"))
    }

    @Test func noColorLeavesTheStyleOut() async throws {
        guard let output = try await onTerminal(environment: ["NO_COLOR": "1"]) else { return }
        #expect(!output.contains("\u{1b}[1m") && !output.contains("\u{1b}[2m"))
        #expect(output.contains("] 3/4 "))
    }

    @Test func aDumbTerminalGetsPlainLines() async throws {
        guard let output = try await onTerminal(environment: ["TERM": "dumb"]) else { return }
        #expect(!output.contains(Self.escape))
        #expect(!output.contains("] 3/4 "))
        #expect(output.contains("epoll-et"))
    }

    @Test func quietShowsNoProgressOnATerminal() async throws {
        guard let output = try await onTerminal(["--quiet"]) else { return }
        #expect(!output.contains(Self.escape))
        #expect(!output.contains("epoll-et"))
    }

    @Test func whatIsNoTerminalGetsPlainText() async throws {
        let (_, outcome) = try await BenchProcess.run(Self.arguments, environment: ["TERM": "xterm"])
        #expect(!outcome.output.contains(Self.escape) && !outcome.output.contains("\r"))
        #expect(!outcome.complaints.contains(Self.escape))
    }
}
