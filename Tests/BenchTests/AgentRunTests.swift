import Foundation
import Meters
import Records
import TestSupport
import Testing

/// A server here and the load there: two programs, as two users would start them.
@Suite(.enabled(if: MessageAuthentication.installed != nil, "there is no libcrypto of OpenSSL here"))
struct AgentRunTests {
    private static let long = ["--rounds", "3", "--duration", "300ms", "--warmup", "10ms", "--output", "out"]
    private static let quick = ["--no-kernel-counts"]

    /// The row of a run in which something was done: on a busy machine a window can go by without a processor.
    private func soundRow(_ options: [String]) async throws -> RunRecord {
        var last = ""
        for _ in 0..<10 {
            let (process, outcome) = try await BenchProcess.run(options)
            if let row = try process.rows().last, row.status == .ok { return row }
            last = outcome.complaints
        }
        Issue.record("\(last)")
        throw PatienceIsOver()
    }

    private func filled(_ row: RunRecord) -> Set<String> {
        Set(Column.all.filter { !$0.text(of: row).isEmpty }.map(\.name))
    }

    @Test(arguments: ["accept", "crr", "read", "datagram"])
    func aRemoteRowHasAllColumnsOfOneAtHome(_ workload: String) async throws {
        let agent = try await AgentProcess()
        let options = [
            "run", "--workload", workload, "--mode", "lt", "--connections", "2", "--rounds", "1", "--duration", "300ms",
            "--warmup", "10ms", "--output", "out",
        ]
        let home = try await soundRow(options)
        let remote = try await soundRow(options + agent.options)
        // A busy machine may warn of one of them, leave too few samples for a percentile, or count by the loops.
        let byChance = ["warnings", "latency_p50_ns", "latency_p90_ns", "latency_p99_ns", "latency_p999_ns", "reason"]
        #expect(filled(home).subtracting(filled(remote)).subtracting(byChance).isEmpty)
        #expect(
            filled(remote).subtracting(filled(home)).subtracting(byChance)
                == ["server_machine_id", "client_machine_ids", "server_address", "link"])
        #expect(remote.serverMachineId == remote.machineId && remote.clientMachineIds == remote.machineId)
        #expect(remote.link.hasPrefix("lo;") && remote.serverAddress.hasPrefix("127.0.0.1:"))
        #expect(await agent.end().exit == 0)
    }

    @Test func drainsAndOpenLoopsAndSearchesRunOverAnAgentToo() async throws {
        let agent = try await AgentProcess()
        for options in [BenchProcess.short, ["--rate", "500"] + Self.long.dropFirst(2) + ["--rounds", "1"]] {
            let (process, outcome) = try await BenchProcess.run(
                ["run", "--mode", "lt,multishot"] + options + agent.options + Self.quick)
            #expect([0, 6].contains(outcome.exit), "\(outcome.complaints)")
            #expect(process.text("out/run.json").contains("server_machine"))
            #expect(try process.rows().allSatisfy { [.ok, .unsupported].contains($0.status) })
        }
        _ = await agent.end()
    }

    @Test func aCommandRunsByTheNameThatTheAgentAllows() async throws {
        let allowed = "own=exec '\(BenchProcess.path)' serve --mode lt --workers {workers} --port {port}"
        let agent = try await AgentProcess(["--allow", allowed])
        let run = ["run", "--workload", "read", "--connections", "2"] + Self.long.dropFirst(2) + ["--rounds", "1"]
        let (process, outcome) = try await BenchProcess.run(
            run + ["--server", "own", "--mode", "lt"] + agent.options + Self.quick)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let rows = try process.rows()
        #expect(Set(rows.map(\.mode)) == ["own", "epoll-lt"] && rows.allSatisfy { $0.status == .ok })
        #expect(rows.first { $0.mode == "own" }?.serverProcesses == 1)
        let mistakes = [
            "other": "the agent allows own", "x=sleep 1; echo {port}": "--allow 'NAME=COMMAND'",
        ]
        for (server, says) in mistakes {
            let (_, refused) = try await BenchProcess.run(run + ["--server", server] + agent.options)
            #expect(refused.exit == 64 && refused.complaints.contains(says), "\(refused.complaints)")
        }
        _ = await agent.end()
    }

    @Test func whatCannotBeRemoteIsRefusedInOneLine() async throws {
        let agent = try await AgentProcess()
        let mistakes = [
            ["--workload", "wake"]: "--agent belongs to --workload",
            ["--address", "127.0.0.1"]: "the agent's own to say",
            ["--target", "127.0.0.1:80"]: "exclude each other", ["--pin", "0,999"]: "the agent's",
        ]
        for (options, says) in mistakes {
            let (_, outcome) = try await BenchProcess.run(["run"] + options + agent.options + ["--output", "out"])
            #expect(outcome.exit == 64 && outcome.complaintLines.count == 1, "\(options) \(outcome.complaints)")
            #expect(outcome.complaints.contains(says), "\(outcome.complaints)")
        }
        let (_, compared) = try await BenchProcess.run(
            ["calibrate", "--blocks", "6", "--", "--mode", "lt"] + agent.options)
        #expect(compared.exit == 64 && compared.complaints.contains("one program at a time"), "\(compared.complaints)")
        let (_, alone) = try await BenchProcess.run(["run", "--agent", agent.address])
        #expect(alone.exit == 64 && alone.complaints.contains("BENCH_AGENT_SECRET"), "\(alone.complaints)")
        for name in ["nonsense", "127.0.0.1", "127.0.0.1:0", ":1"] {
            let (_, outcome) = try await BenchProcess.run(["run", "--agent", name])
            #expect(outcome.exit == 64 && outcome.complaints.contains("takes HOST:PORT"), "\(outcome.complaints)")
        }
        _ = await agent.end()
    }

    // MARK: The secret

    @Test func theSecretIsSeenNowhere() async throws {
        let secret = SecretFile()
        let environment = ["BENCH_AGENT_SECRET": secret.text]
        let agent = try BenchProcess(["agent", "--listen", "127.0.0.1:0"], environment: environment)
        let address = try await AgentProcess.address(of: agent)
        let run = try BenchProcess(
            ["run", "--mode", "lt", "--agent", address] + Self.long + Self.quick, environment: environment)
        try await run.waitForRows(1)
        for process in [agent, run] {
            for file in ["cmdline", "environ"] {
                let text = (try? Data(contentsOf: URL(filePath: "/proc/\(process.processID)/\(file)"))) ?? Data()
                #expect(!String(decoding: text, as: UTF8.self).contains(secret.text), "\(file)")
            }
        }
        #expect(await run.wait().exit == 0)
        agent.send(SIGINT)
        #expect(await agent.wait().exit == 0)
        for process in [agent, run] {
            let files =
                FileManager.default.enumerator(atPath: process.folder.path())?.compactMap { $0 as? String } ?? []
            #expect(files.contains("stderr"))
            for file in files { #expect(!process.text(file).contains(secret.text), "\(file)") }
        }
    }

    @Test func withAnotherSecretNothingStarts() async throws {
        let agent = try await AgentProcess()
        let other = SecretFile()
        let (process, outcome) = try await BenchProcess.run(
            ["run", "--mode", "lt", "--agent", agent.address, "--secret-file", other.path, "--output", "out"])
        #expect(outcome.exit == 3 && outcome.complaintLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("the secret is not the agent's"))
        #expect(!FileManager.default.fileExists(atPath: process.folder.appending(path: "out").path()))
        chmod(other.path, 0o644)
        let (_, open) = try await BenchProcess.run(["agent", "--secret-file", other.path])
        #expect(open.exit == 64 && open.complaints.contains("can be read by others"))
        let ended = await agent.end()
        #expect(ended.complaints.contains("another secret") && ended.exit == 0)
    }

    // MARK: Bad days

    @Test func anAgentThatIsKilledCostsOneRunAndResumingGoesOn() async throws {
        let secret = SecretFile()
        let agent = try await AgentProcess(secret: secret)
        let run = try BenchProcess(["run", "--mode", "lt"] + Self.long + agent.options + Self.quick)
        try await run.waitForRows(1)
        agent.process.send(SIGKILL)
        _ = await agent.process.wait()
        let outcome = await run.wait()
        #expect(outcome.exit == 3, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("agent \(agent.address): ") && outcome.complaints.contains("--resume out"))
        let before = try run.rows()
        #expect(before.count < 3 && before.allSatisfy { [.partial, .failed].contains($0.status) }, "\(before)")
        let again = try await AgentProcess(port: agent.port, secret: secret)
        let resumed = try BenchProcess(["run", "--resume", "out"], in: run.folder)
        let end = await resumed.wait()
        #expect(end.exit == 0, "\(end.complaints)")
        let rows = try run.rows()
        #expect(Set(rows.filter { $0.status == .ok }.map(\.round)) == [1, 2, 3], "\(rows.map(\.reason))")
        _ = await again.end()
    }

    @Test func aCoordinatorThatIsKilledLeavesTheAgentFree() async throws {
        let agent = try await AgentProcess()
        let run = try BenchProcess(["run", "--mode", "lt"] + Self.long + agent.options + Self.quick)
        try await run.waitForRows(1)
        let (_, busy) = try await BenchProcess.run(["run", "--mode", "lt"] + BenchProcess.short + agent.options)
        #expect(busy.exit == 3 && busy.complaints.contains("busy: another coordinator"), "\(busy.complaints)")
        run.send(SIGKILL)
        _ = await run.wait()
        for _ in 0..<patienceMilliseconds / 10 where !agent.process.text("stderr").contains("the connection was") {
            try await Task.sleep(for: .milliseconds(10))
        }
        let (_, next) = try await BenchProcess.run(
            ["run", "--mode", "lt"] + BenchProcess.short + agent.options + Self.quick)
        #expect(next.exit == 0, "\(next.complaints)")
        #expect(await agent.end().exit == 0)
    }

    @Test func anAgentThatIsToldToEndEndsItsRunInOrder() async throws {
        let agent = try await AgentProcess()
        let run = try BenchProcess(["run", "--mode", "lt"] + Self.long + agent.options + Self.quick)
        try await run.waitForRows(1)
        #expect(await agent.end().exit == 0)
        let outcome = await run.wait()
        #expect(outcome.exit == 3 && outcome.complaints.contains("--resume out"), "\(outcome.complaints)")
    }

    @Test func anInterruptedRunLeavesNothingRunningThere() async throws {
        let agent = try await AgentProcess()
        let run = try BenchProcess(["run", "--mode", "lt"] + Self.long + agent.options + Self.quick)
        try await run.waitForRows(1)
        run.send(SIGINT)
        let outcome = await run.wait()
        #expect(outcome.exit == 130 && outcome.complaints.contains("to go on"), "\(outcome.complaints)")
        let ended = await agent.end()
        #expect(ended.exit == 0 && ended.output == "listening on \(agent.address)\n")
    }
}
