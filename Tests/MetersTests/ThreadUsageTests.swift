import Foundation
import Meters
import Testing

@Suite struct ThreadUsageTests {
    /// Runs `work` on a new thread and reads what it used from the outside before it ends.
    private func usage(of work: @escaping @Sendable (ThreadHandle) -> Void) -> (usage: ThreadUsage?, ThreadHandle?) {
        let worked = Signal()
        let mayEnd = Signal()
        nonisolated(unsafe) var handle: ThreadHandle?  // Written before the signal, read after the wait.
        Thread {
            let own = ThreadHandle.current()
            work(own)
            handle = own
            worked.give()
            mayEnd.take()
        }.start()
        worked.take()
        defer { mayEnd.give() }
        return (handle?.usage(), handle)
    }

    @Test func cpuTimeIsSeenFromAnotherThread() throws {
        let (usage, _) = usage { own in
            while let used = own.usage(), used.cpuNanoseconds < 20_000_000 {}
        }
        #expect(try #require(usage).cpuNanoseconds >= 20_000_000)
    }

    @Test func sleepingIsAVoluntarySwitchAndCostsNoCPUTime() throws {
        let (usage, _) = usage { _ in
            for _ in 0..<5 { sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000) }
        }
        #expect(try #require(usage).voluntarySwitches >= 5)
    }

    @Test func aThreadThatEndedHasNoUsage() throws {
        let handle = try #require(usage { _ in }.1)
        // It may take the kernel a moment to forget it; a handle that never does hangs the test.
        while handle.usage() != nil { usleep(1000) }
    }

    @Test func usagesAddUpAndSubtract() {
        let one = ThreadUsage(cpuNanoseconds: 10, voluntarySwitches: 2, involuntarySwitches: 3)
        let two = ThreadUsage(cpuNanoseconds: 25, voluntarySwitches: 4, involuntarySwitches: 9)
        #expect(two - one == ThreadUsage(cpuNanoseconds: 15, voluntarySwitches: 2, involuntarySwitches: 6))
        #expect(one + two == ThreadUsage(cpuNanoseconds: 35, voluntarySwitches: 6, involuntarySwitches: 12))
        #expect(one + ThreadUsage() == one)
    }
}
