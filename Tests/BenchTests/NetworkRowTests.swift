import Foundation
import Records
import TestSupport
import Testing

/// What a row and `run.json` say of the network.
@Suite struct NetworkRowTests {
    private static let short = ["--warmup", "50ms", "--duration", "100ms", "--rounds", "1", "--output", "out"]

    @Test func theLinkIsInTheDescription() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--workload", "read", "--mode", "lt", "--connections", "4"] + Self.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let stored = try #require(
            JSONSerialization.jsonObject(with: Data(process.text("out/run.json").utf8)) as? [String: Any])
        let machine = try #require(stored["machine"] as? [String: Any])
        let link = try #require(machine["link"] as? [String: Any])
        #expect(link["is_loopback"] as? Bool == true && link["mtu_bytes"] as? Int != nil, "\(link)")
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
