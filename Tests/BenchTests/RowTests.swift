import Foundation
import Records
import TestSupport
import Testing
import Claims
import Load
import Loops
import Runs

/// What a row says of its run is on standard error and in `run.json` too.
@Suite(.serialized) struct RowTests {
    private static let slow = [
        "--mode", "lt", "--workers", "1", "--service", "sleep", "--warmup", "0", "--rounds", "1",
    ]

    @Test func aRateThatIsNotKeptIsSaid() async throws {
        let (process, outcome) = try await BenchProcess.run(
            Self.slow + ["--rate", "400", "--service-time", "fixed:20ms", "--duration", "200ms", "--output", "out"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("epoll-lt: offered 400/s, served "), "\(outcome.complaints)")
        let row = try #require(try process.rows().first)
        #expect(row.status == .ok && row.saturated == "yes" && row.offeredOpsPerS == 400)
        #expect(row.warnings.contains("saturated"))
        #expect(process.text("out/run.json").contains("saturated"))
    }

    @Test func aStallIsSaid() async throws {
        let (process, outcome) = try await BenchProcess.run(
            Self.slow + [
                "--service-time", "fixed:300ms", "--duration", "1s", "--connections", "2", "--output", "out",
            ])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("stalled: for "), "\(outcome.complaints)")
        let row = try #require(try process.rows().first)
        #expect((row.stallMaxNs ?? 0) >= 300_000_000 && row.warnings.contains("stalled"))
    }

    @Test func failuresAreCountedByCallAndError() async throws {
        guard isInstalled("unshare"), isInstalled("ip"),
            succeeds(["unshare", "--net", "ip", "link", "set", "lo", "up"], need: "a network of its own takes root")
        else { return }
        // Ports for eleven connections, each of which keeps its port for a minute after its orderly end.
        let script = """
            ip link set lo up && echo 50000 50010 >/proc/sys/net/ipv4/ip_local_port_range
            echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse; exec "$0" "$@"
            """
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "lt", "--close", "orderly", "--duration", "300ms", "--rounds", "1", "--output", "out"],
            under: ["unshare", "--net", "sh", "-c", script])
        #expect(outcome.exit == 3)
        let row = try #require(try process.rows().first)
        #expect(row.status == .failed)
        #expect(row.reason.contains(" × connect: EADDRNOTAVAIL: "), "\(row.reason)")
        #expect(row.reason.contains("ip_local_port_range") && !row.reason.contains("--rate"))
        #expect(outcome.complaints.contains("connect: EADDRNOTAVAIL"), "\(outcome.complaints)")
    }

    @Test func theListSaysWhatAModeDoesBadly() async throws {
        let (_, list) = try await BenchProcess.run(["list"])
        let text = list.output.split { $0.isWhitespace }.joined(separator: " ")
        #expect(
            text.contains("--workload accept: before Linux 6.4 each close of an accepted slot waits about a second"))
    }
}
