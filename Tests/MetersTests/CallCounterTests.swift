import CTestSupport
import Glibc
import SystemPackage
import Testing

@testable import Meters

/// Counts of calls that the tests make themselves, so each number is exact.
@Suite struct CallCounterTests {
    /// A counter of one source; nil, said on standard output, where the kernel or the user's privileges lack it.
    private func counter(_ source: CallCounter.Source, threads: Int = 4) -> CallCounter? {
        do throws(CallCounterRefusal) {
            return try CallCounter(threads: threads, sources: [source])
        } catch {
            print("skipped: \(error)")
            return nil
        }
    }

    @Test func everyCallOfAWatchedThreadIsCountedByItsNumber() throws {
        guard let counter = counter(.bpf) else { return }
        onThreads(1) { _ in
            counter.watchThisThread()
            let before = counter.read()
            for _ in 0..<1000 { _ = getppid() }
            for _ in 0..<500 { _ = geteuid() }
            // No kernel has such a number.
            for _ in 0..<70 { _ = c_system_call(100_000) }
            // A call counts when the next one begins.
            _ = getpgrp()
            let after = counter.read()
            guard let before, let after else { return _ = Issue.record("not counted") }
            // The second reading can need memory from the kernel, which is a call too.
            let made = (after - before).byName
            #expect(made["getppid"] == 1000 && made["geteuid"] == 500 && made[SystemCallName.other] == 70)
            #expect((1570...1575).contains((after - before).total))
        }
    }

    @Test func whatOtherThreadsCallIsNotCounted() throws {
        guard let counter = counter(.bpf) else { return }
        let before = try #require(counter.read())
        onThreads(3) { index in
            if index > 0 { counter.watchThisThread() }
            for _ in 0..<300 { _ = getppid() }
            _ = getpgrp()
        }
        for _ in 0..<50 { _ = getppid() }
        let counted = try #require(counter.read()) - before
        #expect(counted.byName["getppid"] == 600)
    }

    @Test func moreThreadsThanAskedForAreNoCountAndNotAWrongOne() {
        guard let counter = counter(.bpf, threads: 1) else { return }
        let watched = Signal()
        let end = Signal()
        // The table has room for the thread that tried the counter.
        onThreads(3) { index in
            counter.watchThisThread()
            watched.give()
            if index == 0 {
                for _ in 0..<3 { watched.take() }
                #expect(counter.read() == nil)
                for _ in 0..<3 { end.give() }
            }
            end.take()
        }
    }

    @Test func perfCountsTheTotalOfWatchedThreads() throws {
        guard let counter = counter(.perf) else { return }
        let ready = Signal()
        let go = Signal()
        let counted = Signal()
        onThreads(2) { index in
            if index == 0 {
                ready.take()
                // The other one waits in a futex, so what it calls until it has taken the signal is not exact.
                guard let before = counter.read() else { return _ = Issue.record("not counted") }
                go.give()
                counted.take()
                guard let after = counter.read() else { return _ = Issue.record("not counted") }
                #expect((10_000...10_100).contains((after - before).total))
                #expect(after.byName.isEmpty)
            } else {
                counter.watch([.current()])
                ready.give()
                go.take()
                for _ in 0..<10_000 { _ = getppid() }
                counted.give()
            }
        }
    }

    @Test func anEventThatExcludesTheKernelIsRefusedAlthoughItOpens() throws {
        guard counter(.perf) != nil else { return }
        let backend = try PerfCallCounter(excludesKernel: true)
        #expect(try backend.countKnownCalls() == 0)
        let refusal = #expect(throws: CallCounterRefusal.self) {
            try CallCounter([.perf]) { (_) throws(Errno) in try PerfCallCounter(excludesKernel: true) }
        }
        #expect(refusal?.description == "perf counted 0 of \(knownCalls) known calls")
    }

    @Test func aSourceThatCountsWrongIsPassedOver() throws {
        struct Wrong: CallCounting {
            var counted: UInt64
            func watchThisThread() {}
            func watch(_ threads: [Int32]) {}
            func watch(processes: [Int32]) -> Bool { false }
            var limit: String? { nil }
            func read() -> CallCounts? { nil }
            func countKnownCalls() throws(Errno) -> UInt64 { counted }
        }
        let counter = try CallCounter([.bpf, .perf]) { (source) throws(Errno) in
            Wrong(counted: source == .bpf ? knownCalls + 1 : knownCalls)
        }
        #expect(counter.source == .perf)
    }

    @Test func withoutBPFPerfCounts() {
        guard counter(.perf) != nil else { return }
        onThreads(1) { _ in
            #expect(c_forbid_system_call(C_SYS_BPF, EPERM) == 0)
            #expect((try? CallCounter(threads: 1))?.source == .perf)
        }
    }

    @Test func withoutEitherTheReasonsAreSaid() {
        onThreads(1) { _ in
            #expect(c_forbid_system_call(C_SYS_BPF, EPERM) == 0)
            #expect(c_forbid_system_call(C_SYS_PERF_EVENT_OPEN, EACCES) == 0)
            let refusal = #expect(throws: CallCounterRefusal.self) { try CallCounter(threads: 1) }
            #expect(refusal?.isPrivilege == true && refusal?.reasons.count == 2)
        }
    }

    @Test func withoutTracefsThereIsNoPerfEvent() {
        #expect(throws: Errno.noSuchFileOrDirectory) { try PerfCallCounter(folders: ["/nonexistent"]) }
        // What is there and empty is where nothing is mounted, whoever asks.
        let refusal = #expect(throws: CallCounterRefusal.self) {
            try CallCounter([.perf]) { (_) throws(Errno) in
                try PerfCallCounter(folders: ["/nonexistent", "/proc/self/fdinfo"])
            }
        }
        #expect(refusal?.description.contains("mount -t tracefs none /sys/kernel/tracing") == true)
        #expect(refusal?.isPrivilege == false)
    }

    @Test func callsHaveTheNamesOfTheirArchitecture() {
        #expect(SystemCallName.x86Table[110] == "getppid" && SystemCallName.genericTable[173] == "getppid")
        #expect(SystemCallName.x86Table[232] == "epoll_wait" && SystemCallName.genericTable[22] == "epoll_pwait")
        #expect(SystemCallName.x86Table[0] == "read" && SystemCallName.genericTable[57] == "close")
        #expect(
            SystemCallName.x86Table[426] == "io_uring_enter" && SystemCallName.genericTable[426] == "io_uring_enter")
        #expect(SystemCallName.genericTable[244] == nil)
        #expect(SystemCallName.of(500) == "syscall_500")
    }
}
