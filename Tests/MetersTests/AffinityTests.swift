import CBenchExtras
import Meters
import SystemPackage
import Testing

@Suite struct AffinityTests {
    @Test func aPinnedThreadRunsWhereItWasPinned() {
        let available = Affinity.available()
        #expect(!available.isEmpty)
        onThreads(available.count) { index in
            #expect(throws: Never.self) { try Affinity.pinThisThread(to: available[index]) }
            #expect(Affinity.available() == [available[index]])
            #expect(Int(sched_getcpu()) == available[index])
        }
        #expect(Affinity.available() == available)
    }

    @Test(arguments: [-1, 8191, 8192, 1 << 40]) func aProcessorThatIsNotThereIsRefused(processor: Int) {
        onThreads(1) { _ in
            let before = Affinity.available()
            guard !before.contains(processor) else { return }
            #expect(throws: Errno.invalidArgument) { try Affinity.pinThisThread(to: processor) }
            #expect(Affinity.available() == before)
        }
    }

    @Test func theClockGoesForwardAndSleepingReachesItsEnd() {
        let end = monotonicNanoseconds() + 2_000_000
        sleepUntil(nanoseconds: end)
        #expect(monotonicNanoseconds() >= end)
        sleepUntil(nanoseconds: 0)
    }
}
