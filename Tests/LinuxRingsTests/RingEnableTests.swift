import Foundation
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxRings

private let notEnabled = Errno(rawValue: EBADFD)

/// Rings that start disabled.
@Suite(.enabled(if: ringsTake(.startsDisabled), "IORING_SETUP_R_DISABLED needs Linux 5.10")) struct RingEnableTests {
    static let setups: [RingSetup] = [
        .startsDisabled, [.startsDisabled, .submissionPolling], [.startsDisabled, .cooperativeTaskRun, .taskRunFlag],
    ]

    @Test(arguments: setups) func nothingIsTakenBeforeItIsEnabled(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: 2, setup)
        #expect(ring.isEnabled == false)
        let ready = try writableFile()
        for token in UInt64(1)...2 { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        #expect(throws: notEnabled) { try ring.submit() }
        #expect(throws: notEnabled) { try ring.submitAndWait() }
        #expect(throws: notEnabled) { try ring.submitAndWait(timeout: .milliseconds(1)) }
        #expect(throws: notEnabled) { try ring.preparePoll(ready.descriptor, .writable, token: 3) }
        #expect(throws: notEnabled) { try ring.reserve(1) }
        #expect(ring.submitted == 0 && ring.readyCompletions == 0)
        try ring.enable()
        #expect(ring.isEnabled == true)
        #expect(try ring.completions(2).map(\.token).sorted() == [1, 2])
        #expect(ring.submitted == 2)
        #expect(throws: notEnabled) { try ring.enable() }
    }

    @Test func aRingThatStartsEnabledIsNotEnabled() throws {
        var ring = try Ring(entries: 2)
        #expect(ring.isEnabled == true)
        #expect(throws: notEnabled) { try ring.enable() }
        #expect(throws: notEnabled) { try ring.restrict(to: RingRestrictions(operations: [.poll])) }
    }

    @Test func theThreadThatEnablesItIsItsOwner() throws {
        let setup: RingSetup = [.startsDisabled, .singleIssuer, .deferTaskRun, .submitAll]
        guard ringsTake(setup) else { return }
        let box = LooseRing(try Ring(entries: 8, setup))
        try onOwnThread {
            try box.ring.enable()
            try box.ring.preparePoll(.standardError, .writable, token: 1)
            #expect(try box.ring.completion().token == 1)
        }
        try box.ring.preparePoll(.standardError, .writable, token: 2)
        #expect(throws: Errno.fileExists) { try box.ring.submit() }
    }

    @Test(arguments: setups) func itsEndLeavesNothing(_ setup: RingSetup) throws {
        guard ringsTake(setup) && multishotAvailable && descriptorTablesAvailable else { return }
        try withOwnDescriptorTable {
            weak var memory: BufferMemory?
            let number = try looseNumber()
            do {
                var ring = try Ring(entries: 8, setup)
                let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
                memory = group.memory
                try ring.register(group)
                try ring.prepareClose(OwnedDescriptor(owning: FileDescriptor(rawValue: number.rawValue)), token: 1)
            }
            #expect(memory == nil)
            #expect(!isOpen(number))
        }
    }
}

/// Rings that may do little.
@Suite(.enabled(if: ringsTake(.startsDisabled), "IORING_SETUP_R_DISABLED needs Linux 5.10"))
struct RingRestrictionTests {
    private func ring(_ restrictions: RingRestrictions) throws -> Ring {
        var ring = try Ring(entries: 8, .startsDisabled)
        try ring.restrict(to: restrictions)
        try ring.enable()
        return ring
    }

    @Test func onlyWhatIsListedIsCarriedOut() throws {
        var ring = try ring(RingRestrictions(operations: [.poll]))
        try ring.preparePoll(.standardError, .writable, token: 1)
        #expect(try ring.completion().error == nil)
        try ring.prepareCancel(target: 1, token: 2)
        #expect(try ring.completion().error == .permissionDenied)
    }

    @Test func flagsThatAreNotListedAreRefused() throws {
        var ring = try ring(RingRestrictions(operations: [.cancel], allowedFlags: .link))
        try ring.prepareCancel(target: 9, .link, token: 1)
        try ring.prepareCancel(target: 9, token: 2)
        #expect(Set(try ring.completions(2).map(\.error)) == [.noSuchFileOrDirectory, .canceled])
        try ring.prepareCancel(target: 9, .skipSuccess, token: 3)
        #expect(try ring.completion().error == .permissionDenied)
    }

    @Test func flagsThatAreRequiredMustBeThere() throws {
        var ring = try ring(RingRestrictions(operations: [.cancel], requiredFlags: .skipSuccess))
        try ring.prepareCancel(target: 9, token: 1)
        #expect(try ring.completion().error == .permissionDenied)
        try ring.prepareCancel(target: 9, .skipSuccess, token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings)) func slotsCanBeAllThatARingMayUse() throws {
        let restrictions = RingRestrictions(
            operations: [.receive], registrations: [.filesUpdate], requiredFlags: .fixedFile)
        var ring = try Ring(entries: 8, .startsDisabled)
        try ring.registerFileSlots(count: 2)
        try ring.restrict(to: restrictions)
        try ring.enable()
        let pair = try Pair()
        try ring.registerFile(pair.server.descriptor, slot: Slot(1))
        _ = try pair.client.send([5])
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try ring.prepareReceive(.descriptor(pair.server.descriptor), into: memory, count: 8, token: 1)
        #expect(try ring.completion().error == .permissionDenied)
        try ring.prepareReceive(.slot(Slot(1)), into: memory, count: 8, token: 2)
        #expect(try ring.completion().result == 1)
        #expect(memory.load(as: UInt8.self) == 5)
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings)) func registrationsThatAreNotListedAreRefused() throws {
        var ring = try ring(RingRestrictions(operations: [.poll], registrations: [.fileSlots]))
        let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
        #expect(throws: Errno.permissionDenied) { try ring.register(group) }
        try ring.registerFileSlots(count: 2)
        #expect(throws: Errno.permissionDenied) { try ring.registerFile(.standardError, slot: Slot(0)) }
    }

    @Test(.enabled(if: multishotReceiveAvailable, whyNoRings)) func theEndOfARestrictedRingFreesItsMemory() throws {
        weak var memory: BufferMemory?
        let pair = try Pair()
        do {
            var ring = try ring(
                RingRestrictions(operations: [.receive], registrations: [.bufferGroup], allowedFlags: .bufferSelect))
            let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
            memory = group.memory
            try ring.register(group)
            try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
            try ring.submit()
        }
        #expect(memory == nil)
    }

    @Test func restrictionsAreSaidOnce() throws {
        var ring = try Ring(entries: 8, .startsDisabled)
        try ring.restrict(to: RingRestrictions(operations: [.poll]))
        #expect(throws: Errno.resourceBusy) { try ring.restrict(to: RingRestrictions(operations: [.accept])) }
        try ring.enable()
        #expect(throws: Errno.permissionDenied) { try ring.restrict(to: RingRestrictions(operations: [.accept])) }
        try ring.preparePoll(.standardError, .writable, token: 1)
        #expect(try ring.completion().error == nil)
    }

    @Test func whatNoKernelKnowsIsRefusedAndLeavesTheRingAsItWas() throws {
        var ring = try Ring(entries: 8, .startsDisabled)
        let unknown = OperationCode(rawValue: .max)
        #expect(throws: Errno.invalidArgument) { try ring.restrict(to: RingRestrictions(operations: [unknown])) }
        let registration = RegistrationCode(rawValue: .max)
        #expect(throws: Errno.invalidArgument) {
            try ring.restrict(to: RingRestrictions(operations: [.poll], registrations: [registration]))
        }
        try ring.enable()
        try ring.prepareCancel(target: 1, token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
    }
}

/// A close that restrictions would refuse is not queued: its error could not be told from the file's own.
@Suite(
    .enabled(if: ringsTake(.startsDisabled) && descriptorTablesAvailable, "no restrictions, or no descriptor tables"))
struct RingRestrictedCloseTests {
    @Test(arguments: [
        RingRestrictions(operations: [.poll]), RingRestrictions(operations: [.close], requiredFlags: .link),
        RingRestrictions(operations: [.close, .poll], allowedFlags: [.link], requiredFlags: .fixedFile),
    ])
    func aForbiddenCloseIsDoneAtOnce(_ restrictions: RingRestrictions) throws {
        try withOwnDescriptorTable {
            var ring = try Ring(entries: 8, .startsDisabled)
            try ring.restrict(to: restrictions)
            try ring.enable()
            let number = try looseNumber()
            #expect(throws: Errno.permissionDenied) { try ring.prepareClose(owned(number), token: 1) }
            #expect(!isOpen(number))
            #expect(try ring.submit() == 0)
        }
    }

    @Test func anAllowedCloseIsCarriedOut() throws {
        try withOwnDescriptorTable {
            var ring = try Ring(entries: 8, .startsDisabled)
            try ring.restrict(to: RingRestrictions(operations: [.close], allowedFlags: [.skipSuccess, .link]))
            try ring.enable()
            let number = try looseNumber()
            try ring.prepareClose(owned(number), token: 1)
            #expect(try ring.completion().error == nil)
            #expect(!isOpen(number))
        }
    }

    /// The flag would be taken from the request before it, which then were refused.
    @Test func aCloseInAChainThatMustBeQuietIsRefused() throws {
        try withOwnDescriptorTable {
            var ring = try Ring(entries: 8, .startsDisabled)
            try ring.restrict(
                to: RingRestrictions(operations: [.close, .cancel], allowedFlags: .link, requiredFlags: .skipSuccess))
            try ring.enable()
            let (first, second) = (try looseNumber(), try looseNumber())
            try ring.prepareClose(owned(first), .skipSuccess, token: 1)
            try ring.prepareCancel(target: 9, [.skipSuccess, .link], token: 2)
            #expect(throws: Errno.permissionDenied) { try ring.prepareClose(owned(second), .skipSuccess, token: 3) }
            #expect(!isOpen(second))
            #expect(try ring.submit() == 2)
            #expect(!isOpen(first))
        }
    }

    private func owned(_ number: BorrowedDescriptor) -> OwnedDescriptor {
        OwnedDescriptor(owning: FileDescriptor(rawValue: number.rawValue))
    }
}
