import Foundation
import Records
import TestSupport
import Testing
import Claims
import Load
import Loops
import Runs

/// Compares what the loops of `bench` say they called with what strace(1) saw them call.
///
/// `strace -c -f` adds all threads up, clients and harness included, so the calls are written to one file for each
/// thread, and those of the threads named `worker-N` are added up by call as `-c` would.
@Suite(.serialized) struct StraceTests {
    /// What the workers called, by name, and how many operations that served.
    private struct Seen {
        var calls: [Substring: Int] = [:]
        var operations = 0
        var total: Int { calls.values.reduce(0, +) }
    }

    private static let traced = [
        "accept4", "close", "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "io_uring_enter", "poll", "ppoll",
        "select",
        "pselect6", "read", "write", "recvfrom", "sendto", "fstat", "newfstatat",
    ]

    /// A call that this architecture does not have is not traced: the question mark.
    private static let strace =
        ["strace", "-f", "-ff", "-qq", "-o", "trace", "-e"] + ["trace=prctl,?" + traced.joined(separator: ",?")]

    /// Ring modes that close by system calls.
    private static let closing: [Mechanism] = [.ringPoll, .ringEpoll, .descriptorRing, .asyncRing]

    private func canTrace() -> Bool {
        isInstalled("strace")
            && succeeds(["strace", "-f", "-qq", "-o", "/dev/null", "true"], need: "ptrace is not permitted here")
    }

    /// Adds up the files of the worker threads.
    private func seen(
        _ process: BenchProcess, _ mode: Mode, workers: Int, served call: String = "accept4"
    ) throws -> Seen {
        var seen = Seen()
        var submitted = 0
        let files = try FileManager.default.contentsOfDirectory(atPath: process.folder.path())
        var found = 0
        for file in files where file.hasPrefix("trace.") {
            let lines: [Substring] = process.text(file).split(separator: "\n")
            guard lines.contains(where: { $0.contains("PR_SET_NAME, \"worker-") }) else { continue }
            found += 1
            for line in lines {
                let name = line.prefix { $0 != "(" }
                guard Self.traced.contains(String(name)) else { continue }
                // A ring closes connections by itself; these are of the ring and the thread.
                if name == "close" && mode.capabilities.usesRing && !Self.closing.contains(mode.mechanism) { continue }
                seen.calls[name, default: 0] += 1
                let result = line.split(separator: "=").last.flatMap { Int($0.split(separator: " ")[0]) } ?? -1
                if name == call && result >= 0 { seen.operations += 1 }
                if name == "io_uring_enter" && result > 0 { submitted += result }
            }
        }
        // The dispatcher is one more of the team.
        try #require(found == workers + (mode.capabilities.handsOver ? 1 : 0))
        // Beside the requests for the stop signal and the first accept, a close for each operation, and with single
        // accepts the next one.
        switch mode.mechanism {
        case .ringSingle: seen.operations = (submitted - 2 * workers) / 2
        case .ringMultishot: seen.operations = submitted - 2 * workers
        // Beside the listener's and the stop signal's duplicates and the ring, it closes a connection for each operation.
        case .descriptorRing: seen.operations = seen.calls["close", default: 0] - 3 * workers
        // Beside the listener's duplicate, the ring and two eventfds.
        case .asyncRing: seen.operations = seen.calls["close", default: 0] - 4 * workers
        case .blocking, .select, .poll, .epoll, .epollOneShot, .dispatcher, .ringPoll, .interestSet, .asyncSet,
            .ringEpoll, .ringDispatcher, .ringHandoff, .splice, .vmsplice, .sendfile:
            break
        }
        return seen
    }

    @Test(arguments: Mode.all.map(\.name)) func systemCallsAgreeWithStrace(_ name: String) async throws {
        try await compareWindow(name, ["--workers", "2"], threads: 2, served: "accept4")
    }

    @Test(arguments: ["async-set", "async-ring"])
    func systemCallsOfTasksAgreeWithStrace(_ name: String) async throws {
        try await compareWindow(name, ["--workers", "2"], threads: 2, served: "accept4")
    }

    /// Looks that find nothing are calls like others, and so are waits that end with their time.
    @Test(arguments: ["epoll-spin", "epoll-pwait2", "uring-spin", "uring-wait-for", "uring-registered-ring"])
    func systemCallsOfOtherWaitsAgreeWithStrace(_ name: String) async throws {
        try await compareWindow(name, ["--workers", "2"], threads: 2, served: "accept4")
    }

    @Test(arguments: ["select", "poll", "dispatcher", "interest-set"])
    func systemCallsOfLooksAgreeWithStrace(_ name: String) async throws {
        try await compareWindow(name, ["--workers", "2", "--spin", "100us"], threads: 2, served: "accept4")
    }

    @Test func systemCallsOfReadingTasksAgreeWithStrace() async throws {
        try await compareWindow(
            "async-set", ["--workload", "read", "--workers", "2", "--connections", "4"], threads: 2, served: "sendto")
    }

    /// With one message in flight every reply is one `send(2)`; a ring's are not to be seen.
    @Test(arguments: Mode.all.filter { !$0.capabilities.usesRing || $0.mechanism == .ringPoll }.map(\.name))
    func systemCallsOfReadingAgreeWithStrace(_ name: String) async throws {
        let connections = 4
        try await compareWindow(
            name, ["--workload", "read", "--workers", "2", "--connections", "\(connections)"],
            threads: name == "blocking" ? connections : 2, served: "sendto")
    }

    @Test(arguments: [("uring-epoll-wait", "accept"), ("uring-epoll-wait", "read"), ("uring-dispatcher", "read")])
    func systemCallsOfHandingModesAgreeWithStrace(_ name: String, _ workload: String) async throws {
        try await compareWindow(
            name, ["--workload", workload, "--workers", "2", "--connections", "4"], threads: 2,
            served: workload == "accept" ? "accept4" : "sendto")
    }

    @Test(arguments: ["blocking", "poll", "epoll-lt", "epoll-oneshot", "interest-set", "uring-poll"])
    func systemCallsOfTransactionsAgreeWithStrace(_ name: String) async throws {
        try await compareWindow(
            name, ["--workload", "crr", "--workers", "2", "--connections", "4"], threads: 2, served: "sendto")
    }

    private func compareWindow(_ name: String, _ options: [String], threads: Int, served call: String) async throws {
        guard canTrace() else { return }
        let mode = try #require(Mode.named(name))
        var seenLast = ""
        var disagreement: Comment?
        for attempt in 1...6 {
            // The longer the window, the less of it a machine that is busy with other things can cut off.
            let duration = "\(150 << attempt)ms"
            let (process, outcome) = try await BenchProcess.run(
                [
                    "--mode", name, "--duration", duration, "--warmup", "0", "--rounds", "1", "--output", "out",
                    "--no-kernel-counts",
                ] + options,
                under: Self.strace)
            seenLast = outcome.complaints
            // The queue that another program let overflow was the whole machine's: there are traces of two runs then.
            if outcome.complaints.contains(" is void: ") { continue }
            let row = try #require(try process.rows().first)
            if row.status == .unsupported { return print("skipped: \(row.reason)") }
            let seen = try seen(process, mode, workers: threads, served: call)
            // The same operations are compared only if the window caught nearly all of them.
            let caught = Double(row.operations) / Double(max(seen.operations, 1))
            guard row.status == .ok, seen.total >= 400, caught > 0.97 else { continue }
            let expected = Double(seen.total) / Double(seen.operations)
            let counted = try #require(row.syscallsPerOp)
            if caught < 1.01 && abs(counted / expected - 1) < 0.05 { return }
            // Calls and operations are read one after the other, and whoever reads them can be kept from it in between: only
            // what every window shows is wrong.
            disagreement = "\(caught) of the operations, \(counted) calls counted, \(expected) traced: \(seen.calls)"
        }
        if let disagreement { return _ = Issue.record(disagreement) }
        print("skipped: \(name): no window caught the load: \(seenLast)")
    }

    @Test(arguments: Mode.all.map(\.name)) func aDrainsSystemCallsAgreeWithStrace(_ name: String) async throws {
        guard canTrace() else { return }
        let mode = try #require(Mode.named(name))
        let arguments = ["--mode", name, "--drain", "200", "--rounds", "1", "--output", "out", "--no-kernel-counts"]
        var (process, outcome) = try await BenchProcess.run(arguments, under: Self.strace)
        for _ in 0..<5 where outcome.complaints.contains(" is void: ") {
            (process, outcome) = try await BenchProcess.run(arguments, under: Self.strace)
        }
        let row = try #require(try process.rows().first)
        if row.status == .unsupported { return print("skipped: \(row.reason)") }
        let seen = try seen(process, mode, workers: 1)
        #expect(row.operations == 200 && seen.operations == 200)
        let counted = Int((try #require(row.syscallsPerOp) * 200).rounded())
        // Beyond the window: registering listener and stop signal, the wait that the stop signal ends, closing the
        // set or ring and whatever else the thread was the last to hold; a set that owns descriptors duplicates them,
        // and asks what each of them is.
        let slack = mode.capabilities.ownsDescriptors ? 16 : 10
        #expect((0...slack).contains(seen.total - counted), "\(counted) counted, traced: \(seen.calls)")
    }
}
