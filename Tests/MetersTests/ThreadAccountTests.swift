import Glibc
import LinuxDescriptors
import TestSupport
import Testing

@testable import Meters

@Suite struct ThreadAccountTests {
    /// In a process of its own, because the descriptors of this one are needed by other tests.
    @Test func anAccountIsKeptWhenNoDescriptorIsFree() async {
        await #expect(processExitsWith: .success) {
            try withTakenDescriptors {
                let account = ThreadAccount()
                account.open()
                sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
                let before = account.switches
                try #require(before.voluntarySwitches >= 1)

                try allowNoMoreDescriptors()
                try #require(ThreadHandle.current().switches() == nil)
                sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
                try #require(account.switches == before)
                account.close()
                try #require(account.switches.voluntarySwitches > before.voluntarySwitches)
                try #require(account.time.cpuNanoseconds > 0)
                try #require(account.time == account.time)
                // A sanitizer opens files when the process ends.
                _ = try DescriptorLimit.raise()
            }
        }
    }
}
