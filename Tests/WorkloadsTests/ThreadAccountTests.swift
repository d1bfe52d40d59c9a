import Glibc
import LinuxDescriptors
import Meters
import Testing

@testable import Workloads

@Suite struct ThreadAccountTests {
    /// In a process of its own, because the descriptors of this one are needed by other tests.
    @Test func anAccountIsKeptWhenNoDescriptorIsFree() async {
        await #expect(processExitsWith: .success) {
            let account = ThreadAccount()
            account.open()
            sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
            let before = account.switches
            #expect(before.voluntarySwitches >= 1)

            var limit = rlimit(rlim_cur: 3, rlim_max: try DescriptorLimit.current().hard)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            try #require(ThreadHandle.current().switches() == nil)
            sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
            #expect(account.switches == before)
            account.close()
            #expect(account.switches.voluntarySwitches > before.voluntarySwitches)
            #expect(account.time.cpuNanoseconds > 0)
            #expect(account.time == account.time)
            // A sanitizer opens files when the process ends.
            _ = try DescriptorLimit.raise()
        }
    }
}
