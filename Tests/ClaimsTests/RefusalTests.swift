import LinuxDescriptors
import LinuxRings
import SystemPackage
import Testing

@testable import Claims
@testable import Loops
@testable import Runs

/// A kernel that refuses is no observation, and the reason given is that of the experiment.
@Suite struct RefusalTests {
    @Test(.enabled(if: Need.multishotPoll.unmet() == nil, "io_uring's multishot poll is absent"))
    func aRingThatRefusesToPollIsNotWoken() throws {
        let error = #expect(throws: Unobservable.self) {
            try wokenRings(.readable, polling: BorrowedDescriptor(rawValue: -1))
        }
        #expect(error?.reason.contains("EBADF") == true)
    }

    /// As Linux 5.10 does.
    @Test(.enabled(if: Need.noDrop.unmet() == nil, "io_uring is absent"))
    func aRingThatTakesNothingBesideAnOverflowLosesNothing() throws {
        let observed = try observeOverflow { (ring) throws(Errno) in
            if ring.completionsOverflowed { throw .resourceBusy }
            try ring.submit()
        }
        #expect(observed["refused"] == true && observed["submitted"] == 6 && observed["kept"] == 1)
        #expect(observed["received"] == 6 && observed["in_order"] == true)
        #expect(ringOverflowKeeps.verdict(observed) == .holds)
    }

    @Test(arguments: [Errno.invalidArgument, .protocolNotAvailable])
    func aProgramIsRefusedForItsOwnReason(error: Errno) {
        let reason = (loadingFailed(error, requirement: "it needs Linux 9.9") as? Unobservable)?.reason
        #expect(reason?.contains("it needs Linux 9.9") == true && reason?.contains("closed listeners") == false)
    }

    @Test func anErrorThatNobodyExpectsIsNoRefusal() {
        #expect(loadingFailed(.badAddress, requirement: "it needs Linux 9.9") as? Errno == .badAddress)
    }
}
