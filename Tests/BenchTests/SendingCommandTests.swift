import Foundation
import Loops
import Meters
import Records
import TestSupport
import Testing

/// Zero-copy sends and pollers where something is forbidden, or seen by another name.
@Suite struct SendingCommandTests {
    private static let modes = "uring-zerocopy,uring-zerocopy-fixed,uring-sqpoll"
    private static let short = ["--workload", "read", "--duration", "100ms", "--rounds", "1", "--output", "out"]

    private func row(_ mode: String, of rows: [RunRecord]) throws -> RunRecord {
        try #require(rows.first { $0.mode == mode }, "no row of \(mode)")
    }

    @Test func forbiddenRings() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts/forbid_io_uring.py")
        let forbidden = ["python3", script.path()]
        guard isInstalled("python3"), succeeds(forbidden + ["true"], need: "no seccomp filter can be set here") else {
            return
        }
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", Self.modes + ",lt"] + Self.short, under: forbidden)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        for row in try process.rows() {
            #expect(row.status == (row.mode == "epoll-lt" ? .ok : .unsupported))
            if row.status == .unsupported { #expect(row.reason.contains("EPERM")) }
        }
    }

    /// The kernel names a poller by a number that other namespaces do not know.
    @Test func aPollerInAnotherNamespaceIsCounted() async throws {
        let mode = try #require(Mode.named("uring-sqpoll"))
        if let reason = mode.unsupportedReason(rings: RingSupport.probe(), for: .read) {
            return print("skipped: \(reason)")
        }
        let apart = ["unshare", "--pid", "--fork", "--mount-proc"]
        guard succeeds(apart + ["true"], need: "no PID namespace of its own") else { return }
        let (process, outcome) = try await BenchProcess.run(["--mode", "uring-sqpoll"] + Self.short, under: apart)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let row = try row("uring-sqpoll", of: try process.rows())
        #expect(row.status == .ok && (row.pollerCpuNsPerOp ?? 0) > 0)
        #expect((row.serverCpuNsPerOp ?? 0) >= row.pollerCpuNsPerOp ?? .infinity)
    }

    @Test func aProcessorThatIsNotAllowedIsRefusedBeforeTheRun() async throws {
        guard succeeds(["taskset", "-c", "0", "true"], need: "taskset(1) is not here, or processor 0 is not") else {
            return
        }
        let (_, outcome) = try await BenchProcess.run(
            ["--mode", "uring-sqpoll", "--poller-cpu", "1"] + Self.short, under: ["taskset", "-c", "0"])
        #expect(outcome.exit == 64 && outcome.output.isEmpty)
        #expect(outcome.complaints.split(separator: "\n").count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("--poller-cpu") && outcome.complaints.contains("(0)"))
    }
}
