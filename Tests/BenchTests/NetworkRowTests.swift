import Foundation
import Records
import TestSupport
import Testing

/// What a row and `run.json` say of the network, and latencies that are split where the kernel has the reply.
@Suite struct NetworkRowTests {
    private static let short = ["--warmup", "50ms", "--duration", "100ms", "--rounds", "1", "--output", "out"]

    @Test(arguments: ["read", "crr", "datagram"]) func stampsSplitTheLatency(_ workload: String) async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", workload, "--mode", "lt", "--timestamps", "--connections", "4"] + Self.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let row = try #require(try process.rows().first)
        #expect(row.status == .ok && row.options == "timestamps", "\(row.reason)")
        let client = try #require(row.latencyClientP50Ns, "\(row.warnings)")
        let before = try #require(row.latencyUntilArrivalP50Ns)
        let whole = try #require(row.latencyMaxNs)
        #expect(client > 0 && client <= whole && before > 0 && before <= whole)
        #expect((row.latencyClientP99Ns ?? client) >= client && (row.latencyUntilArrivalP99Ns ?? before) >= before)
        #expect(row.networkDrops != nil && (row.retransmissionsPerOp == nil) == (workload == "datagram"))
    }

    @Test func withoutTheOptionNothingIsStamped() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--mode", "lt", "--connections", "4"] + Self.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let row = try #require(try process.rows().first)
        #expect(row.options.isEmpty && row.latencyClientP50Ns == nil && row.latencyUntilArrivalP99Ns == nil)
        #expect(!row.warnings.contains("split"))
        let stored = try #require(
            JSONSerialization.jsonObject(with: Data(process.text("out/run.json").utf8)) as? [String: Any])
        let machine = try #require(stored["machine"] as? [String: Any])
        let link = try #require(machine["link"] as? [String: Any])
        #expect(link["is_loopback"] as? Bool == true && link["mtu_bytes"] as? Int != nil, "\(link)")
    }

    @Test func withAndWithoutAreTwoArms() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--mode", "lt", "--timestamps", "--compare-without", "--connections", "4"]
                + Self.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(try Set(process.rows().map(\.options)) == ["", "timestamps"])
    }

    @Test(arguments: [
        ("--workload accept --timestamps", "--timestamps belongs to --workload crr, read and datagram"),
        ("--workload wake --timestamps", "--timestamps belongs to --workload crr, read and datagram"),
        (
            "--workload crr --protocol http --tls --target 127.0.0.1:443 --timestamps",
            "--timestamps and --tls exclude each other"
        ),
    ]) func whatCannotBeStampedIsRefused(_ arguments: String, _ says: String) async throws {
        let (_, outcome) = try await BenchProcess.run(arguments.split(separator: " ").map(String.init))
        #expect(outcome.exit == 64)
        #expect(outcome.complaintLines.count == 1 && outcome.complaints.contains(says), "\(outcome.complaints)")
    }

    /// A server whose sockets drop one packet in twenty, which TCP sends again.
    private static let losing = PythonServer.echo(
        before: """
            import ctypes, struct
            rules = [(0x20, 0, 0, 0xfffff038), (0x35, 0, 1, 0xf3333333), (6, 0, 0, 0), (6, 0, 0, 0xffffffff)]
            memory = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
            program = struct.pack("HL", len(rules), ctypes.addressof(memory))
            """,
        onConnection: "connection.setsockopt(socket.SOL_SOCKET, 26, program)")

    @Test func whatIsSentAgainIsSaid() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--server", "losing=\(Self.losing)", "--connections", "16", "--warmup", "0"]
                + ["--duration", "500ms", "--rounds", "1", "--no-kernel-counts", "--output", "out"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let row = try #require(try process.rows().first)
        #expect((row.retransmissionsPerOp ?? 0) > 0.001, "\(row.status) \(row.reason)")
        #expect(row.warnings.contains("segments of TCP again"), "\(row.warnings)")
    }
}
