import Foundation
import Load
import Records
import TestSupport
import Testing

/// TLS by the command as a user gives it.
@Suite(.enabled(if: TLSServer.isPossible && TLSContext.refusal == nil)) struct TLSRunTests {
    private let files: TLSServer

    init() throws { files = try TLSServer() }

    private func server(_ deed: String) -> String {
        "\(deed)=exec " + files.command(deed, "{port}").joined(separator: " ")
    }

    private func rows(
        _ workload: String, _ options: [String]
    ) async throws -> (rows: [RunRecord], outcome: BenchProcess.Outcome) {
        let (process, outcome) = try await BenchProcess.run(
            [
                "--workload", workload, "--rounds", "1", "--duration", "200ms", "--warmup", "20ms", "--connections",
                "2", "--output", "out", "--tls",
            ] + options)
        return (try process.rows(), outcome)
    }

    @Test(arguments: ["read", "crr"]) func aRowSaysWhatWasSpoken(_ workload: String) async throws {
        let (rows, outcome) = try await rows(
            workload,
            [
                "--protocol", "http", "--tls-ca", "\(files.folder)/cert.pem", "--server", server("reply"), "--server",
                server("old"),
            ])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(rows.count == 2 && rows.allSatisfy { $0.status == .ok && $0.tls == "verified 127.0.0.1" })
        #expect(rows.first { $0.mode == "reply" }?.tlsNegotiated.hasPrefix("TLSv1.3 TLS_") == true)
        #expect(rows.first { $0.mode == "old" }?.tlsNegotiated.hasPrefix("TLSv1.2 ECDHE-") == true)
    }

    @Test(arguments: ["read", "crr"]) func othersGoOnWhenOneFails(_ workload: String) async throws {
        let (rows, outcome) = try await rows(
            workload, ["--protocol", "http", "--server", server("plain"), "--server", server("reply")])
        #expect(outcome.exit == 3, "\(outcome.complaints)")
        let failed = try #require(rows.first { $0.mode == "plain" })
        #expect(failed.status == .failed && failed.reason.contains("SSL_connect: wrong version number"))
        #expect(failed.reason.contains("leave --tls out"), "\(failed.reason)")
        let other = try #require(rows.first { $0.mode == "reply" })
        #expect(other.status == .ok && other.tls == "unverified 127.0.0.1")
    }

    @Test(arguments: ["read", "crr"]) func aStallInTheHandshakeIsCalledSo(_ workload: String) async throws {
        let (rows, outcome) = try await rows(workload, ["--protocol", "http", "--server", server("stall")])
        #expect(outcome.exit == 3, "\(outcome.complaints)")
        let reason = rows.first?.reason ?? ""
        #expect(rows.first?.status == .failed && reason.contains("SSL_connect: no answer"), "\(reason)")
    }

    @Test func echoesOverTLS() async throws {
        let (rows, outcome) = try await rows("read", ["--server", server("echo"), "--depth", "4", "--idle", "3"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(rows.first?.status == .ok && rows.first?.errors == 0 && rows.first?.operations ?? 0 > 0)
    }

    private static let databases = [
        "redis":
            "redis-server --port 0 --tls-port {port} --tls-cert-file FOLDER/cert.pem --tls-key-file FOLDER/key.pem "
            + "--tls-auth-clients no --dir FOLDER --save '' --appendonly no",
        "memcached":
            "memcached -u nobody -U 0 -l 127.0.0.1 -p {port} -Z -o ssl_chain_cert=FOLDER/cert.pem,ssl_key=FOLDER/key.pem",
    ]

    @Test(
        .enabled(if: isInstalled("redis-server") && isInstalled("memcached")), arguments: ["redis", "memcached"],
        ["read", "crr"])
    func databasesSpeakTLS(_ name: String, _ workload: String) async throws {
        let command = try #require(Self.databases[name]).replacing("FOLDER", with: files.folder)
        let (rows, outcome) = try await rows(
            workload,
            ["--protocol", name, "--server", "\(name)=exec \(command)", "--tls-ca", "\(files.folder)/cert.pem"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(rows.first?.status == .ok && rows.first?.errors == 0 && rows.first?.operations ?? 0 > 0)
    }
}
