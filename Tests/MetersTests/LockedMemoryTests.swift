import Glibc
import SystemPackage
import Testing

@testable import Meters

/// The limit is the process's, so its tests take turns.
@Suite(.serialized) struct LockedMemoryTests {
    private var soft: rlim_t {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        return limit.rlim_cur
    }

    private func set(_ soft: rlim_t) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        limit.rlim_cur = min(soft, limit.rlim_max)
        setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
    }

    @Test func itIsLiftedForACallThatIsRefusedAndForNoOther() throws {
        let before = soft
        defer { set(before) }
        set(4096)
        // As a kernel below 5.11 has it.
        let seen = Limits()
        func refusedBelow(_ needed: rlim_t) throws(Errno) -> CInt {
            seen.all.append(soft)
            if soft < needed { throw .notPermitted }
            return 7
        }
        #expect(try LockedMemoryLimit.liftedIfNeeded { () throws(Errno) in try refusedBelow(1) } == 7)
        #expect(seen.all == [4096] && soft == 4096)
        seen.all = []
        #expect(try LockedMemoryLimit.liftedIfNeeded { () throws(Errno) in try refusedBelow(4097) } == 7)
        #expect(seen.all.count == 2 && seen.all[1] > 4096 && soft == 4096)
        #expect(throws: Errno.notPermitted) {
            try LockedMemoryLimit.liftedIfNeeded { () throws(Errno) in throw .notPermitted }
        }
        #expect(soft == 4096)
    }

    private final class Limits { var all: [rlim_t] = [] }
}
