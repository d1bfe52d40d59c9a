import Foundation
import TestSupport
import Testing

/// A `bench agent` of its own, and what a `bench run` needs to reach it.
final class AgentProcess: Sendable {
    /// Where it listens.
    let address: String
    let process: BenchProcess
    private let secret: SecretFile

    /// Starts it, and waits until it listens.
    ///
    /// - Parameter port: 0 lets the kernel choose.
    init(_ options: [String] = [], port: Int = 0, secret: SecretFile = SecretFile()) async throws {
        self.secret = secret
        process = try BenchProcess(
            ["agent", "--listen", "127.0.0.1:\(port)", "--secret-file", secret.path] + options)
        address = try await Self.address(of: process)
    }

    /// What it prints when it listens.
    static func address(of process: BenchProcess) async throws -> String {
        for _ in 0..<patienceMilliseconds where process.isRunning {
            if let line = process.text("stdout").split(separator: "\n").first, process.text("stdout").hasSuffix("\n") {
                return try #require(line.hasPrefix("listening on ") ? String(line.dropFirst(13)) : nil)
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        process.send(SIGKILL)
        let outcome = await process.wait()
        Issue.record("\(outcome.complaints)")
        throw PatienceIsOver()
    }

    /// The options with which a run reaches it.
    var options: [String] { ["--agent", address, "--secret-file", secret.path] }

    var port: Int { Int(address.split(separator: ":").last ?? "") ?? 0 }

    /// Ends it as a user does, and tells how it ended.
    func end() async -> BenchProcess.Outcome {
        process.send(SIGTERM)
        return await process.wait()
    }
}

/// A secret that only this user can read.
final class SecretFile: Sendable {
    let path: String
    let text = "secret \(UUID().uuidString)"

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path()
        _ = FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
