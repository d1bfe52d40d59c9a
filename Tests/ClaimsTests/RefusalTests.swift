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

    @Test(arguments: [Errno.invalidArgument, .protocolNotAvailable])
    func aProgramIsRefusedForItsOwnReason(error: Errno) {
        let reason = (loadingFailed(error, requirement: "it needs Linux 9.9") as? Unobservable)?.reason
        #expect(reason?.contains("it needs Linux 9.9") == true && reason?.contains("closed listeners") == false)
    }

    @Test func anErrorThatNobodyExpectsIsNoRefusal() {
        #expect(loadingFailed(.badAddress, requirement: "it needs Linux 9.9") as? Errno == .badAddress)
    }
}
