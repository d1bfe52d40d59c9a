import Foundation
import Records
import TestSupport
import Testing

/// A `bench run --load-hosts` that waits for `bench load`, each a process of its own.
struct LoadCoordinator {
    static let secret = ["BENCH_AGENT_SECRET": "0123456789abcdef0123"]

    let process: BenchProcess
    /// Where hosts join.
    let place: String

    /// Starts it, and waits until it listens.
    init(
        _ hosts: Int, _ options: String = "", at address: String = "127.0.0.1", under command: [String] = []
    ) async throws {
        let arguments =
            "run --workload read --mode lt --connections 6 --warmup 20ms --duration 100ms --rounds 1 --no-kernel-counts "
            + "--output out --load-hosts \(hosts) --load-listen \(address):0 \(options)"
        process = try BenchProcess(
            arguments.split(separator: " ").map(String.init), under: command, environment: Self.secret)
        place = try await process.said(#/waiting for \d+ load hosts on (\S+)/#, in: "stderr")
    }

    /// Starts a host, which does not take the number of a launcher of the tests.
    func host(
        _ options: String = "", under command: [String] = [], environment: [String: String] = [:]
    ) throws -> BenchProcess {
        try BenchProcess(
            ["load", "--join", place] + options.split(separator: " ").map(String.init), under: command,
            environment: Self.secret.merging(environment) { _, new in new })
    }

    /// What it has written.
    func rows() throws -> [RunRecord] {
        try RunRecord.read(Array(process.text("out/runs.csv").utf8), file: "runs.csv")
    }
}

extension BenchProcess {
    /// Waits for something in what it has printed, and returns what the parentheses hold.
    func said(_ pattern: Regex<(Substring, Substring)>, in file: String) async throws -> String {
        for _ in 0..<patienceMilliseconds where isRunning {
            if let found = text(file).firstMatch(of: pattern) { return String(found.1) }
            try await Task.sleep(for: .milliseconds(1))
        }
        let outcome = await wait()
        if let found = (file == "stderr" ? outcome.complaints : outcome.output).firstMatch(of: pattern) {
            return String(found.1)
        }
        Issue.record("\(outcome.exit): \(outcome.complaints)")
        throw PatienceIsOver()
    }

    /// Waits until it has joined, and returns its number.
    func joined() async throws -> Int? { Int(try await said(#/as load host (\d+)/#, in: "stdout")) }
}

extension BenchProcess.Outcome {
    /// Its complaints without what a coordinator says while hosts join.
    var otherLines: [Substring] {
        complaintLines.filter { !$0.contains("waiting for") && !$0.contains("has joined") }
    }
}
