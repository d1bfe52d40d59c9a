import Foundation
import Meters
import Testing

@Suite struct ThreadUsageTests {
    /// Runs `work` on a new thread and gives its handle to `reading` before it ends.
    private func whileItLives<Reading>(
        _ work: @escaping @Sendable (ThreadHandle) -> Void, _ reading: (ThreadHandle) throws -> Reading
    ) throws -> (Reading, ThreadHandle) {
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
        let named = try #require(handle)
        return (try reading(named), named)
    }

    @Test func cpuTimeIsSeenFromAnotherThread() throws {
        let (time, _) = try whileItLives { own in
            while let used = own.cpuNanoseconds(), used < 20_000_000 {}
        } _: {
            $0.cpuNanoseconds()
        }
        #expect(try #require(time) >= 20_000_000)
    }

    @Test func sleepingIsAVoluntarySwitchSeenFromInsideAndOutside() throws {
        nonisolated(unsafe) var inside = ThreadUsage()  // Written by the thread before it is waited for.
        let (outside, _) = try whileItLives { _ in
            for _ in 0..<5 { sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000) }
            inside = .ofThisThread()
        } _: {
            $0.switches()
        }
        #expect(inside.voluntarySwitches >= 5)
        // It may have waited once more since, for the signal's lock or to end.
        #expect(try #require(outside).voluntarySwitches >= inside.voluntarySwitches)
    }

    @Test func aThreadThatEndedHasNoUsage() throws {
        let (_, handle) = try whileItLives { _ in
        } _: { _ in
        }
        // It may take the kernel a moment to forget it; a handle that never does hangs the test.
        while handle.cpuNanoseconds() != nil || handle.switches() != nil { usleep(1000) }
    }

    @Test func usagesAddUpAndSubtract() {
        let one = ThreadUsage(cpuNanoseconds: 10, voluntarySwitches: 2, involuntarySwitches: 3)
        let two = ThreadUsage(cpuNanoseconds: 25, voluntarySwitches: 4, involuntarySwitches: 9)
        #expect(two - one == ThreadUsage(cpuNanoseconds: 15, voluntarySwitches: 2, involuntarySwitches: 6))
        #expect(one + two == ThreadUsage(cpuNanoseconds: 35, voluntarySwitches: 6, involuntarySwitches: 12))
        #expect(one + ThreadUsage() == one)
    }
}
