import Foundation
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import Meters
@testable import Servers

/// Programs of others as servers: what they do wrong is one line, and nothing of them is left behind.
@Suite struct ServerProcessTests {
    private let output = TemporaryFile()

    private func plan(_ command: String, timeout: UInt64 = 60_000_000_000) -> ExternalServer {
        .theirs(command, output, timeout: timeout)
    }

    private func start(_ plan: ExternalServer, unless endings: [BorrowedDescriptor] = []) throws(RunError)
        -> ServerProcess
    {
        try ServerProcess(plan, unless: endings)
    }

    /// The one line with which a server is refused.
    private func refusal(_ plan: ExternalServer, unless endings: [BorrowedDescriptor] = []) -> String {
        do throws(RunError) {
            _ = try start(plan, unless: endings).end(windowEnd: 1)
            return "none"
        } catch {
            #expect(!error.description.contains("\n"))
            return error.description
        }
    }

    /// The processes whose numbers the server wrote.
    private func processes() -> [Int32] {
        output.text.split(separator: "\n").compactMap { line in
            line.hasPrefix("pid ") ? Int32(line.dropFirst(4)) : nil
        }
    }

    private static let tellsPid = "print(\"pid\", os.getpid(), flush=True)"

    @Test func aServerThatWorksAnswersAndEndsWithoutARemark() throws {
        let server = try start(plan(PythonServer.echo(before: Self.tellsPid)))
        #expect(try server.prepare(unless: []))
        #expect(try echoes(server.address))
        let seen = server.snapshot()
        #expect(seen.processes?.processes == 1 && seen.processes?.threads == 1 && seen.operations.isEmpty)
        #expect(try #require(seen.processes).cpuNanoseconds > 0 && #require(seen.processes?.descriptors) > 3)
        #expect(!isReadable(server.failure, milliseconds: 0))
        let process = try #require(processes().first)
        #expect(isAlive(process))
        let report = server.end(windowEnd: 1)
        #expect(report.error == nil && report.remarks.isEmpty)
        #expect(!isAlive(process))
    }

    @Test func whatStandsInBracesIsFilledIn() throws {
        var plan = plan(
            "echo {address} {workers} {cpus} {other}; taskset -pc $$ | sed 's/.*: //'; "
                + PythonServer.echo(before: Self.tellsPid))
        plan.workers = 3
        let processor = try #require(Affinity.available().last)
        plan.placement = Placement(workers: [processor], clients: [])
        _ = try start(plan).end(windowEnd: 1)
        let lines = output.text.split(separator: "\n")
        #expect(lines.first == "127.0.0.1 3 \(processor) {other}")
        #expect(lines.dropFirst().first == Substring("\(processor)"))
    }

    /// Ends the server when it is asked for what else it counted.
    private struct DeadlyCounter: CallCounting {
        let limit: String? = nil
        let process: @Sendable () -> Int32?

        func watchThisThread() {}
        func watch(_ threads: [Int32]) {}
        func watch(processes: [Int32]) -> Bool { false }
        func read() -> CallCounts? { nil }
        func countKnownCalls() throws(Errno) -> UInt64 { knownCalls }

        func activity() -> ServerActivity? {
            if let process = process() {
                kill(process, SIGKILL)
                _ = eventually { !isAlive(process) }
            }
            return nil
        }
    }

    @Test func whatIsCountedIsReadBeforeTheFilesOfEachThread() throws {
        var plan = plan(PythonServer.echo(before: Self.tellsPid))
        let output = output
        plan.calls = try CallCounter([.bpf]) { _ in
            DeadlyCounter { output.text.split(separator: " ").last.flatMap { Int32($0.dropLast()) } }
        }
        let server = try start(plan)
        #expect(eventually { processes().count == 1 })
        // The walk through /proc finds nobody any more.
        #expect(server.snapshot().processes == nil)
    }

    @Test func aServerMayListenLate() throws {
        let server = try start(plan(PythonServer.echo(before: "time.sleep(0.3)")))
        #expect(try echoes(server.address))
        #expect(server.end(windowEnd: 1).error == nil)
    }

    @Test func aServerThatNeverListensIsGivenUpAndEnded() throws {
        let never = PythonServer.command(
            "import os, time\n\(Self.tellsPid)\nprint(\"I am busy\", flush=True)\nwhile True: time.sleep(1)")
        let line = refusal(plan(never, timeout: 2_000_000_000))
        #expect(line.hasPrefix("theirs: nothing listened on 127.0.0.1:") && line.contains("within 2 s"))
        #expect(processes().allSatisfy { !isAlive($0) })
    }

    @Test func theUserCanEndTheWait() throws {
        let pipe = try TestSupport.Pipe()
        try pipe.write()
        let line = refusal(plan("echo {port}; sleep 600"), unless: [pipe.reader])
        #expect(line.contains("waiting for it to listen"))
    }

    @Test func aServerThatDiesAtOnceSaysWhy() {
        #expect(
            refusal(plan("echo on {port}; echo; echo 'no such module' >&2; exit 3")).hasPrefix(
                "theirs: ended with exit code 3 before it listened on 127.0.0.1:"))
        #expect(refusal(plan("echo on {port}; exit 3")).hasSuffix("; its last words: on \(lastPort())"))
        #expect(refusal(plan("kill -SEGV $$; echo {port}")).contains("was ended by signal 11 before it listened"))
    }

    private func lastPort() -> Substring { output.text.split(separator: "\n").last?.split(separator: " ").last ?? "" }

    @Test func aCommandThatDoesNotExistIsTheShellsToTell() {
        let line = refusal(plan("/nonexistent/server --port {port}"))
        #expect(line.contains("exit code 127") && line.contains("its last words: ") && line.contains("not found"))
    }

    @Test func aServerThatDiesMidwayIsTheFailureOfTheRun() throws {
        let server = try start(
            plan(
                PythonServer.echo(
                    onConnection: "served > 1 and (print(\"out of luck\", flush=True), os.kill(os.getpid(), 9))")))
        #expect(!isReadable(server.failure, milliseconds: 0))
        _ = try? echoes(server.address)
        try waitUntilReadable(server.failure)
        #expect(
            server.end(windowEnd: 1).error?.description
                == "theirs: was ended by signal 9 during the run; its last words: out of luck")
    }

    @Test func aServerInTheBackgroundIsFoundSaidSoAndEnded() throws {
        let fork = """
            if os.fork(): os._exit(0)
            os.setsid()
            if os.fork(): os._exit(0)
            \(Self.tellsPid)
            """
        let server = try start(plan(PythonServer.echo(before: fork)))
        #expect(try echoes(server.address))
        let process = try #require(processes().first)
        let seen = try #require(server.snapshot().processes)
        #expect(seen.processes == 1 && seen.cpuNanoseconds > 0)
        #expect(!isReadable(server.failure, milliseconds: 0))
        let report = server.end(windowEnd: 1)
        #expect(report.error == nil && report.remarks.count == 1)
        #expect(report.remarks.first?.contains("ended with exit code 0 and left others in the background") == true)
        #expect(!isAlive(process))
    }

    @Test func aServerThatIgnoresTheSignalIsKilledWithAllItStarted() throws {
        let fork = """
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            \(Self.tellsPid)
            if os.fork() == 0:
                os.setsid()
                \(Self.tellsPid)
                while True: time.sleep(1)
            """
        let server = try start(plan(PythonServer.echo(before: fork)))
        #expect(eventually { processes().count == 2 })
        let report = server.end(windowEnd: 1)
        #expect(report.error == nil && report.remarks == ["theirs did not end within 5 s of SIGTERM and was killed"])
        drop(server)
        #expect(eventually { processes().allSatisfy { !isAlive($0) } })
    }

    /// A server that is given up while it starts may clean up as one that served.
    @Test(arguments: [false, true]) func aServerThatIsGivenUpGetsTheSignalFirst(_ isInterrupted: Bool) throws {
        let file = TemporaryFile()
        let pipe = try FileDescriptor.pipe()
        defer { for end in [pipe.readEnd, pipe.writeEnd] { try? end.close() } }
        let never = plan(
            "trap 'echo asked to end > \(file.path); exit' TERM; echo ready {port}; while :; do sleep 0.01; done",
            timeout: isInterrupted ? 60_000_000_000 : 5_000_000_000)
        if isInterrupted {
            let (path, end) = (output.path, pipe.writeEnd)
            let thread = Thread {
                _ = eventually { (try? String(contentsOfFile: path, encoding: .utf8))?.contains("ready") == true }
                _ = try? end.writeAll([1])
            }
            thread.start()
        }
        let line = refusal(never, unless: isInterrupted ? [BorrowedDescriptor(rawValue: pipe.readEnd.rawValue)] : [])
        #expect(line.contains(isInterrupted ? "waiting for it to listen" : "nothing listened on"))
        #expect(file.text == "asked to end\n")
    }

    /// Whoever makes a session of its own gets the signal, whether its parent waits for it or has gone.
    @Test(arguments: ["wait", "exit"]) func aServerInASessionOfItsOwnGetsTheSignalFirst(_ parent: String) throws {
        let file = TemporaryFile()
        let farewell = """
            def end(*_):
                open("\(file.path)", "w").write("asked to end")
                os._exit(0)
            signal.signal(signal.SIGTERM, end)
            """
        let command = PythonServer.echo(before: farewell).replacing("exec python3", with: "setsid python3")
        let server = try start(plan("\(command) & \(parent)"))
        #expect(try echoes(server.address))
        let report = server.end(windowEnd: 1)
        #expect(report.error == nil && !report.remarks.contains { $0.contains("was killed") }, "\(report.remarks)")
        #expect(file.text == "asked to end")
    }

    private func drop(_ server: consuming ServerProcess) {}

    @Test func aPortThatIsTakenIsSaidBeforehand() throws {
        let listener = try Listener(.loopback(), backlog: 1)
        var plan = plan("echo {port} is taken; sleep 600")
        plan.address = try listener.address
        #expect(refusal(plan).hasPrefix("theirs: another program listens on \(try listener.address) already"))
        #expect(output.text.isEmpty)
    }

    @Test func aPortIsForgottenInTheCommand() {
        #expect(refusal(plan("sleep 600")).contains("put one in"))
    }

    @Test func aCommandNeedsNoPortWhereItsOwnIsNamed() throws {
        let listener = try Listener(.loopback(), backlog: 1)
        let address = try listener.address
        try listener.close()
        var plan = plan("exit 7")
        plan.address = address
        #expect(refusal(plan).contains("exit code 7"))
    }

    @Test func outputIsAddedToWhatIsThere() throws {
        try "earlier\n".write(toFile: output.path, atomically: false, encoding: .utf8)
        #expect(!refusal(plan("exit 1 {port}")).contains("earlier"))
        #expect(output.text == "earlier\n")
        _ = refusal(plan("echo out; echo err >&2; exit 1 {port}"))
        #expect(output.text == "earlier\nout\nerr\n")
        var unwritable = plan("exit 1 {port}")
        unwritable.outputPath = "/nonexistent/file"
        #expect(refusal(unwritable).hasPrefix("open /nonexistent/file for a server's output"))
    }
}

/// Servers that run already.
@Suite struct TargetTests {
    private func target(_ address: SocketAddress, _ process: Int32? = nil) -> ExternalServer {
        var plan = ExternalServer("target", .running(process: process))
        plan.address = address
        plan.timeoutNanoseconds = 60_000_000_000
        return plan
    }

    private func start(_ plan: ExternalServer) throws(RunError) -> ServerProcess {
        try ServerProcess(plan)
    }

    @Test func withoutAProcessNothingIsSeenOfTheServer() throws {
        let listener = try Listener(.loopback(), backlog: 8)
        let server = try start(target(listener.address))
        let seen = server.snapshot()
        #expect(seen.processes == nil && seen.calls == nil && !seen.tellsOperations)
        #expect(!isReadable(server.failure, milliseconds: 0))
        let report = server.end(windowEnd: 1)
        #expect(report.error == nil && report.remarks.isEmpty)
    }

    @Test func nobodyListens() throws {
        let listener = try Listener(.loopback(), backlog: 1)
        let address = try listener.address
        try listener.close()
        let error = #expect(throws: RunError.self) { try start(target(address)) }
        #expect(error?.description.contains("Connection refused") == true)
        #expect(error?.description.contains("is the server running?") == true)
    }

    @Test func aProcessThatIsGoneIsOneLine() throws {
        let listener = try Listener(.loopback(), backlog: 8)
        let error = #expect(throws: RunError.self) { try start(target(listener.address, 0x3f_ffff)) }
        #expect(error?.description == "--pid \(0x3f_ffff): there is no such process; it may have ended")
    }

    @Test func theProcessOfATargetIsReadAndItsEndSeen() throws {
        let listener = try Listener(.loopback(), backlog: 8)
        let file = TemporaryFile()
        let program = try KeptProgram(
            // It starts no other process and becomes no other program, in the middle of which it could be read.
            "/bin/sh", ["-c", "echo $$ > \(file.path); kill -STOP $$"])
        #expect(eventually { file.text.hasSuffix("\n") })
        let process = try #require(Int32(file.text.dropLast()))
        let server = try start(target(listener.address, process))
        let seen = try #require(server.snapshot().processes)
        #expect(seen.processes == 1 && seen.threads == 1 && seen.residentBytes > 0)
        program.order(SIGKILL)
        try waitUntilReadable(server.failure)
        // What cannot be read is empty and not zero.
        #expect(server.snapshot().processes == nil)
        #expect(server.end(windowEnd: 1).error?.description == "target: process \(process) has ended")
    }
}
