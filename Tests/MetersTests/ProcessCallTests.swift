import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Meters

/// What the kernel counts of other processes, whose calls are known.
@Suite struct ProcessCallTests {
    private let file = TemporaryFile()

    private func counter(_ source: CallCounter.Source) -> CallCounter? {
        do throws(CallCounterRefusal) {
            return try CallCounter(processes: 16, sources: [source])
        } catch {
            print("skipped: \(error)")
            return nil
        }
    }

    /// Asks `calls` times for its parent in a thread that it starts when told to.
    private func callers(_ calls: Int) throws -> KeptProgram {
        let text = """
            import os, signal, threading
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            def work():
                for _ in range(\(calls)): os.getppid()
            def point(name):
                open("\(file.path)", "a").write(name + "\\n")
                signal.sigwait([signal.SIGUSR1])
            point("ready")
            work()
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            point("end")
            """
        return try KeptProgram("/usr/bin/env", ["python3", "-c", text])
    }

    @Test(arguments: CallCounter.Source.allCases)
    func callsOfAllThreadsOfAProcessAreCounted(_ source: CallCounter.Source) throws {
        guard let counter = counter(source) else { return }
        let program = try callers(20_000)
        #expect(eventually { file.text == "ready\n" })
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        tree.find()
        _ = counter.watch(processes: tree.members)
        let before = try #require(counter.read())
        program.order(SIGUSR1)
        #expect(eventually { file.text == "ready\nend\n" })
        let counted = try #require(counter.read()) - before
        if source == .bpf { #expect(counted.byName["getppid"] == 40_000) }
        // Starting a thread and handing the interpreter from one to another takes calls as well.
        #expect((40_000..<42_000).contains(counted.total), "\(counted.total) \(counted.byName)")
    }

    @Test func othersAreNotCounted() throws {
        guard let counter = counter(.bpf) else { return }
        let program = try callers(1000)
        #expect(eventually { file.text == "ready\n" })
        let before = try #require(counter.read())
        program.order(SIGUSR1)
        #expect(eventually { file.text == "ready\nend\n" })
        #expect((try #require(counter.read()) - before).total == 0)
    }

    @Test func theCountAgreesWithStrace() throws {
        guard let counter = counter(.bpf) else { return }
        guard access("/usr/bin/strace", X_OK) == 0 else { return print("skipped: strace is not installed") }
        let program = try callers(5000)
        #expect(eventually { file.text == "ready\n" })
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        tree.find()
        let process = try #require(tree.members.first)
        let table = TemporaryFile()
        let strace = try KeptProgram(
            "/usr/bin/strace", ["-f", "-qq", "-c", "-o", table.path, "-p", "\(process)"])
        func tracer() -> String {
            let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            return status.split(separator: "\n").first { $0.hasPrefix("TracerPid:") }.map(String.init) ?? ""
        }
        guard eventually({ !tracer().hasSuffix("\t0") || strace.hasEnded(by: 0) }), !strace.hasEnded(by: 0) else {
            return print("skipped: strace may not trace")
        }
        _ = counter.watch(processes: [process])
        let before = try #require(counter.read())
        program.order(SIGUSR1)
        #expect(eventually { file.text == "ready\nend\n" })
        let counted = (try #require(counter.read()) - before).total
        strace.order(SIGINT)
        #expect(strace.hasEnded(by: monotonicNanoseconds() + 60_000_000_000))
        let total = table.text.split(separator: "\n").last { $0.hasSuffix(" total") }
        let numbers = try #require(total).split(separator: " ").compactMap { Double($0) }
        // Of `100.00 seconds usecs/call calls errors`, where no call failed the last is missing.
        let traced = try #require(numbers.first { $0 >= 5000 })
        #expect(abs(Double(counted) / traced - 1) < 0.01, "\(counted) counted, \(traced) traced")
    }
}
