import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxRings

/// Chains of requests.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingLinkTests {
    @Test(arguments: [EntryFlags.link, .hardLink]) func aChainRunsInItsOrder(_ link: EntryFlags) throws {
        var ring = try Ring.forThisThread(entries: 16)
        let pair = try Pair()
        let bytes: [UInt8] = Array(0..<8)
        try bytes.withUnsafeBytes { memory in
            for index in 0..<8 {
                try ring.prepareSend(
                    .descriptor(pair.server.descriptor), from: memory.baseAddress! + index, count: 1,
                    index == 7 ? [] : link, token: UInt64(index))
            }
            #expect(try ring.completions(8).map(\.token) == Array(0..<8))
        }
        var received: [UInt8] = []
        while received.count < 8 { received += try pair.client.bytes() }
        #expect(received == bytes)
    }

    /// The first waits, and so does everything behind it.
    @Test(arguments: [EntryFlags.link, .hardLink]) func nothingStartsBeforeItsTurn(_ link: EntryFlags) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let ready = try Ready()
        try ring.preparePoll(pipe.reader, .readable, link, token: 1)
        try ring.preparePoll(ready.descriptor, .readable, link, token: 2)
        try ring.preparePoll(ready.descriptor, .readable, token: 3)
        try ring.submit()
        #expect(try ring.isQuiet())
        try pipe.write()
        let seen = try ring.completions(3)
        #expect(seen.map(\.token) == [1, 2, 3] && seen.allSatisfy { $0.error == nil })
    }

    @Test func aFailureEndsAChain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        try ring.preparePoll(ready.descriptor, .readable, .link, token: 1)
        try ring.prepareFailure(.link, token: 2)
        try ring.preparePoll(ready.descriptor, .readable, .link, token: 3)
        try ring.preparePoll(ready.descriptor, .readable, token: 4)
        // Not of the chain.
        try ring.preparePoll(ready.descriptor, .readable, token: 5)
        #expect(try ring.errors(5) == [1: nil, 2: .noSuchFileOrDirectory, 3: .canceled, 4: .canceled, 5: nil])
    }

    @Test func aHardLinkHoldsAfterAFailure() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        try ring.prepareFailure(.hardLink, token: 1)
        try ring.preparePoll(ready.descriptor, .readable, .hardLink, token: 2)
        try ring.prepareFailure(.hardLink, token: 3)
        try ring.preparePoll(ready.descriptor, .readable, token: 4)
        let seen = try ring.completions(4)
        #expect(seen.map(\.token) == [1, 2, 3, 4])
        #expect(seen.map(\.error) == [.noSuchFileOrDirectory, nil, .noSuchFileOrDirectory, nil])
    }

    /// The kind of a link is that of the request before it.
    @Test func linksOfBothKindsMakeOneChain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        try ring.prepareFailure(.hardLink, token: 1)
        try ring.prepareFailure(.link, token: 2)
        try ring.preparePoll(ready.descriptor, .readable, .hardLink, token: 3)
        try ring.preparePoll(ready.descriptor, .readable, token: 4)
        #expect(
            try ring.errors(4)
                == [1: .noSuchFileOrDirectory, 2: .noSuchFileOrDirectory, 3: .canceled, 4: .canceled])
    }

    /// A cancelled request failed, but to a hard link that does not matter.
    @Test(arguments: [EntryFlags.link, .hardLink]) func cancellingTheFirstEndsAChainOrNot(_ link: EntryFlags) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let ready = try Ready()
        try ring.preparePoll(pipe.reader, .readable, link, token: 1)
        try ring.preparePoll(ready.descriptor, .readable, token: 2)
        try ring.submit()
        try ring.prepareCancel(target: 1, token: 3)
        #expect(try ring.errors(3) == [1: .canceled, 2: link == .hardLink ? nil : .canceled, 3: nil])
    }

    /// What waits behind a link is not found.
    @Test func whatWaitsIsNotCancelled() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.preparePoll(pipe.reader, .readable, token: 2)
        try ring.submit()
        try ring.prepareCancel(target: 2, token: 3)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
        try pipe.write()
        #expect(try ring.errors(2) == [1: nil, 2: nil])
    }

    @Test(arguments: [RingSetup(), .submitAll], [EntryFlags.link, .hardLink])
    func aRefusedRequestEndsAChainOfAnyKind(_ setup: RingSetup, _ link: EntryFlags) throws {
        guard try RingCapabilities.probe().setups.contains(setup) else { return }
        var ring = try Ring(entries: 8, setup)
        let ready = try Ready()
        try ring.preparePoll(ready.descriptor, .readable, link, token: 1)
        try ring.prepareCancel(target: 9, RingCloseOwnershipTests.refused(link), token: 2)
        try ring.preparePoll(ready.descriptor, .readable, token: 3)
        let errors = try ring.errors(3)
        #expect(errors[1] == .canceled && errors[2] == .invalidArgument && errors[3] == .canceled)
    }

    @Test func aFullQueueDoesNotPartAHardChain() throws {
        var ring = try Ring.forThisThread(entries: 4)
        let ready = try Ready()
        for token in UInt64(1)...4 { try ring.preparePoll(ready.descriptor, .readable, .hardLink, token: token) }
        #expect(throws: Errno.resourceBusy) { try ring.preparePoll(ready.descriptor, .readable, token: 5) }
        #expect(throws: Errno.resourceBusy) { try ring.reserve(1) }
    }
}

/// Closes in hard chains: closed once, whatever becomes of the chain.
@Suite(.enabled(if: ringsAvailable && descriptorTablesAvailable, "no rings, or no descriptor tables of a thread"))
struct RingHardLinkCloseTests {
    @Test(arguments: [EntryFlags(), .skipSuccess], [EntryFlags(), .skipSuccess])
    func aCloseBehindAFailureRuns(_ flags: EntryFlags, _ quiet: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let file = try openNull()
            let number = file.descriptor
            try ring.prepareFailure([.hardLink, quiet], token: 1)
            try ring.prepareClose(file, flags, token: 2)
            #expect(try ring.completion().error == .noSuchFileOrDirectory)
            if flags.isEmpty { #expect(try ring.completion().result == 0) }
            #expect(try ring.isQuiet())
            #expect(!isOpen(number))
        }
    }

    /// The hard link holds, and the plain one behind it does not.
    @Test(arguments: [EntryFlags(), .skipSuccess]) func aCloseBehindBothKindsIsMadeUpFor(_ quiet: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let file = try openNull()
            let number = file.descriptor
            try ring.prepareFailure([.hardLink, quiet], token: 1)
            try ring.prepareFailure([.link, quiet], token: 2)
            try ring.prepareClose(file, quiet, token: 3)
            #expect(try ring.errors(3) == [1: .noSuchFileOrDirectory, 2: .noSuchFileOrDirectory, 3: .canceled])
            #expect(!isOpen(number))
        }
    }

    /// A refused entry ends even a hard chain, quiet or not.
    @Test(arguments: [EntryFlags(), .skipSuccess]) func aCloseInARefusedChainIsMadeUpFor(_ quiet: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let file = try openNull()
            let number = file.descriptor
            let flags: EntryFlags = [.hardLink, quiet]
            try ring.prepareFailure(flags, token: 1)
            try ring.prepareCancel(target: 9, RingCloseOwnershipTests.refused(flags), token: 2)
            try ring.prepareClose(file, quiet, token: 3)
            let errors = try ring.errors(3)
            #expect(errors[3] == .canceled)
            #expect(!isOpen(number))
        }
    }

    @Test(arguments: [EntryFlags(), .skipSuccess]) func theEndOfTheRingRunsIt(_ flags: EntryFlags) throws {
        guard multishotReceiveAvailable else { return print("skipped: cancelling at the end needs Linux 6.0") }
        try withOwnDescriptorTable {
            let pipe = try Pipe()
            let file = try openNull()
            let number = file.descriptor
            do {
                var ring = try Ring.forThisThread(entries: 8)
                try ring.preparePoll(pipe.reader, .readable, .hardLink, token: 1)
                try ring.prepareClose(file, flags, token: 2)
                try ring.submit()
                #expect(isOpen(number))
            }
            #expect(!isOpen(number))
        }
    }

    private func openNull() throws -> OwnedDescriptor {
        OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .readOnly))
    }
}
