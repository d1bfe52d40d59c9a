import CTestSupport
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingSetupTests {
    @Test func ringForThisThreadIsTheBestThatTheKernelTakes() throws {
        let ring = try Ring.forThisThread(entries: 8)
        let deferred: RingSetup = [.singleIssuer, .deferTaskRun, .submitAll]
        if failure(of: { () throws(Errno) in try Ring(entries: 8, deferred) }) == nil {
            #expect(ring.setup == deferred)
        } else {
            #expect(!ring.setup.contains(.deferTaskRun))
        }
        #expect(ring.features.contains(.noDrop))
        #expect(ring.descriptor.rawValue >= 0)
    }

    @Test func impossibleSetupsAreRefused() {
        #expect(throws: Errno.invalidArgument) { try throwing { () throws(Errno) in try Ring(entries: 0) } }
        #expect(throws: Errno.invalidArgument) { try throwing { () throws(Errno) in try Ring(entries: 1 << 20) } }
        #expect(throws: Errno.invalidArgument) {
            try throwing { () throws(Errno) in try Ring(entries: 8, completions: 4) }
        }
        #expect(throws: Errno.invalidArgument) {
            try throwing { () throws(Errno) in try Ring(entries: 8, [.deferTaskRun]) }
        }
        #expect(throws: Errno.invalidArgument) {
            try throwing { () throws(Errno) in try Ring(entries: 8, RingSetup(rawValue: 1 << 31)) }
        }
    }

    @Test func clampCutsWhatIsTooLarge() throws {
        let ring = try Ring(entries: 1 << 20, [.clamp])
        #expect(ring.setup == .clamp)
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func endOfLifeClosesTheRing() throws {
        let closed = try withOwnDescriptorTable {
            let number: BorrowedDescriptor
            do {
                let ring = try Ring(entries: 8)
                number = ring.descriptor
                #expect(isOpen(number))
            }
            return !isOpen(number)
        }
        #expect(closed)
    }

    @Test func probeFindsWhatEveryKernelHas() throws {
        let capabilities = try RingCapabilities.probe()
        let none: UInt8 = 0
        let accept: UInt8 = 13
        #expect(capabilities.operations.isSuperset(of: [none, accept]))
        #expect(!capabilities.operations.contains(.max))
        #expect(capabilities.features == (try Ring(entries: 2).features))
        // A later release has what an earlier one had.
        #expect(!capabilities.multishotReceive || capabilities.multishotAccept)
        #expect(!capabilities.multishotAccept || capabilities.messageRing)
    }
}

/// `EPERM` is what `kernel.io_uring_disabled` and most containers say, `ENOSYS` a kernel built without io_uring.
@Suite struct ForbiddenRingTests {
    @Test(arguments: [Errno.notPermitted, .noFunction])
    func errorOfTheKernelComesThrough(_ error: Errno) throws {
        let seen = try onOwnThread { () -> [Errno?] in
            if c_forbid_system_call(C_SYS_IO_URING_SETUP, error.rawValue) != 0 { return [error, error, error] }
            return [
                failure(of: { () throws(Errno) in try Ring(entries: 8) }),
                failure(of: { () throws(Errno) in try Ring.forThisThread(entries: 8) }),
                failure(of: { () throws(Errno) in try RingCapabilities.probe() }),
            ]
        }
        #expect(seen == [error, error, error])
    }
}

private func throwing<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws {
    if let error = failure(of: body) { throw error }
}
