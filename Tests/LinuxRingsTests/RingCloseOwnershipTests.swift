import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxRings

/// What a ring has taken to be closed is closed once, whatever becomes of the request.
///
/// Each runs in a descriptor table of its own, where no other test takes the number that was closed.
@Suite(.enabled(if: ringsAvailable && descriptorTablesAvailable, "no rings, or no descriptor tables of a thread"))
struct RingCloseOwnershipTests {
    /// A flag that no kernel knows: the request is refused as it is handed over.
    static func refused(_ flags: EntryFlags) -> EntryFlags { EntryFlags(unchecked: flags.rawValue | 1 << 7) }

    @Test(arguments: [EntryFlags(), .skipSuccess])
    func aRefusedCloseIsMadeUpFor(_ flags: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let number = try open()
            try ring.prepareClose(owned(number), Self.refused(flags), token: 5)
            let completion = try ring.completion()
            #expect(completion.token == 5 && completion.error == .invalidArgument)
            #expect(!isOpen(number))
        }
    }

    @Test(arguments: [EntryFlags(), .skipSuccess])
    func aCloseCancelledByALinkIsMadeUpFor(_ flags: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let number = try open()
            try ring.prepareCancel(target: 1, .link, token: 4)
            try ring.prepareClose(owned(number), flags, token: 5)
            let errors = Dictionary(uniqueKeysWithValues: try ring.completions(2).map { ($0.token, $0.error) })
            #expect(errors == [4: .noSuchFileOrDirectory, 5: .canceled])
            #expect(!isOpen(number))
        }
    }

    @Test func aRingThatARingDoesNotCloseIsClosed() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let other = try Ring(entries: 2)
            let copy = try other.descriptor.duplicate()
            let number = copy.descriptor
            try ring.prepareClose(copy, token: 5)
            #expect(try ring.completion().error == .badFileDescriptor)
            #expect(!isOpen(number))
            _ = consume other
        }
    }

    @Test func aNumberClosedBehindTheRingsBackIsLeftToItsNewOwner() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let number = try open()
            try ring.prepareClose(owned(number), token: 5)
            _ = owned(number)
            try ring.submitAndWait()
            #expect(try open() == number)
            #expect(try ring.completion().error == .badFileDescriptor)
            #expect(isOpen(number))
        }
    }

    @Test(arguments: [EntryFlags(), .skipSuccess], [0, 1])
    func droppingTheRingClosesWhatWasNeverHandedOver(_ flags: EntryFlags, before: Int) throws {
        try withOwnDescriptorTable {
            let number = try open()
            let other = try open()
            do {
                var ring = try Ring.forThisThread(entries: 8)
                for _ in 0..<before {
                    try ring.prepareClose(try BorrowedDescriptor.standardError.duplicate(), flags, token: 4)
                    try ring.submit()
                }
                try ring.prepareClose(owned(number), flags, token: 5)
            }
            #expect(!isOpen(number))
            #expect(isOpen(other))
        }
    }

    /// It waits behind a read that never ends.
    @Test(arguments: [EntryFlags(), .skipSuccess])
    func droppingTheRingClosesWhatIsUnderWay(_ flags: EntryFlags) throws {
        guard multishotReceiveAvailable else { return print("skipped: cancelling at the end needs Linux 6.0") }
        try withOwnDescriptorTable {
            let pipe = try Pipe()
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
            defer { memory.deallocate() }
            let number = try open()
            do {
                var ring = try Ring.forThisThread(entries: 8)
                try ring.prepareRead(pipe.reader, into: memory, .link, token: 4)
                try ring.prepareClose(owned(number), flags, token: 5)
                try ring.submit()
                #expect(isOpen(number))
            }
            #expect(!isOpen(number))
        }
    }

    @Test func droppingTheRingSettlesCompletionsThatNobodyTook() throws {
        try withOwnDescriptorTable {
            let number = try open()
            do {
                var ring = try Ring.forThisThread(entries: 8)
                try ring.prepareClose(owned(number), Self.refused([]), token: 5)
                try ring.submit()
            }
            #expect(!isOpen(number))
        }
    }

    /// The number is given out again before the completion is taken.
    @Test func twoClosesOfOneNumberAreToldApart() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            for token in UInt64(1)...3 {
                let number = try open()
                #expect(number.rawValue == ring.descriptor.rawValue + 1)
                try ring.prepareClose(owned(number), token: token)
                try ring.submit()
            }
            #expect(try ring.completions(3).map(\.token) == [1, 2, 3])
        }
    }

    @Test func manyClosesOfAllKindsLeakNothing() throws {
        try withOwnDescriptorTable {
            let before = openNumbers()
            do {
                var ring = try Ring.forThisThread(entries: 8, completions: 4096)
                for round in UInt64(0)..<500 {
                    var flags = round % 2 == 0 ? EntryFlags.skipSuccess : []
                    if round % 5 == 0 { flags.formUnion(.link) }
                    if round % 3 == 0 { flags = Self.refused(flags) }
                    try ring.prepareClose(owned(try open()), flags, token: round)
                    if round % 7 == 0 { try ring.submit() }
                    if round % 70 == 0 { while ring.nextSeen() != nil {} }
                }
            }
            #expect(openNumbers() == before)
        }
    }

    /// Every value of the flags, each with two closes in a row and something pending before them.
    @Test func noFlagsLeak() throws {
        try withOwnDescriptorTable {
            let pipe = try Pipe()
            let before = openNumbers()
            for value in UInt8.min...UInt8.max {
                var ring = try Ring.forThisThread(entries: 8)
                try ring.preparePoll(pipe.reader, .readable, token: 9)
                try ring.prepareClose(owned(try open()), EntryFlags(rawValue: value), token: 1)
                try ring.prepareClose(owned(try open()), EntryFlags(rawValue: value), token: 2)
                try ring.submit()
            }
            #expect(openNumbers() == before)
        }
    }

    /// A quiet request that fails takes the completions of its chain with it.
    @Test(arguments: [EntryFlags(), .skipSuccess], [1, 3])
    func aCloseBehindAQuietLinkIsClosedAndCompletes(_ flags: EntryFlags, quiet: UInt64) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let number = try open()
            for token in 1...quiet { try ring.prepareCancel(target: 99, [.link, .skipSuccess], token: token) }
            try ring.prepareClose(owned(number), flags, token: 5)
            let seen = try ring.completions(Int(quiet) + 1)
            #expect(seen.last?.token == 5 && seen.last?.error == .canceled)
            #expect(!isOpen(number))
        }
    }

    @Test func closesLinkedToQuietClosesAreAllClosed() throws {
        try withOwnDescriptorTable {
            let before = openNumbers()
            do {
                var ring = try Ring.forThisThread(entries: 8)
                let quiet: EntryFlags = [.link, .skipSuccess]
                try ring.prepareCancel(target: 99, quiet, token: 1)
                for token in UInt64(2)...4 { try ring.prepareClose(owned(try open()), quiet, token: token) }
                try ring.prepareClose(owned(try open()), .skipSuccess, token: 5)
                let seen = try ring.completions(5)
                #expect(seen.map(\.token) == [1, 2, 3, 4, 5])
                #expect(seen.dropFirst().allSatisfy { $0.error == .canceled })
            }
            #expect(openNumbers() == before)
        }
    }

    /// "Send the last reply, then close", to a peer that is gone.
    @Test func aSocketIsClosedThoughItsLastReplyFailed() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
            defer { memory.deallocate() }
            for _ in 0..<20 {
                let ends = try SocketPair()
                let socket = ends.takeFirst()
                let number = socket.descriptor
                #expect(shutdown(number.rawValue, CInt(SHUT_WR)) == 0)
                try ring.prepareSend(
                    .descriptor(number), from: memory.baseAddress!, count: 8, [.link, .skipSuccess], token: 1)
                try ring.prepareClose(socket, .skipSuccess, token: 2)
                #expect(try ring.completions(2).map(\.error) == [.brokenPipe, .canceled])
                #expect(!isOpen(number))
            }
        }
    }

    /// An enter would end the chain, and the close would run whatever became of what is before it.
    @Test func aFullQueueDoesNotCutAChain() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 2)
            try ring.prepareCancel(target: 99, token: 1)
            try ring.prepareCancel(target: 99, .link, token: 2)
            let number = try open()
            #expect(throws: Errno.resourceBusy) { try ring.prepareClose(owned(number), token: 3) }
            #expect(throws: Errno.resourceBusy) { try ring.reserve(1) }
            #expect(!isOpen(number))
            #expect(throws: Errno.invalidArgument) { try ring.reserve(3) }
            try ring.submit()
            #expect(try ring.completions(2).map(\.token) == [1, 2])

            try ring.prepareCancel(target: 99, token: 4)
            try ring.reserve(2)
            try ring.prepareCancel(target: 99, .link, token: 5)
            try ring.prepareClose(owned(try open()), token: 6)
            #expect(
                try ring.completions(3).map(\.error) == [
                    .noSuchFileOrDirectory, .noSuchFileOrDirectory, .canceled,
                ])
        }
    }

    /// The number of a quiet close that failed is given out and taken again before the failure is.
    @Test func theFailureOfAQuietCloseKeepsItsToken() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let number = try open()
            try ring.prepareClose(owned(number), .skipSuccess, token: 5)
            _ = owned(number)
            try ring.submit()
            #expect(try open() == number)
            try ring.prepareClose(owned(number), token: 6)
            #expect(try ring.completions(2).map(\.token) == [5, 6])
            #expect(!isOpen(number))
        }
    }

    /// The other thread has to run before what was cancelled ends, so the ring must wait for it.
    @Test func aRingOfALivingThreadEndsOnAnother() throws {
        guard multishotReceiveAvailable else { return print("skipped: cancelling at the end needs Linux 6.0") }
        try withOwnDescriptorTable {
            let ready = try Pipe()
            let stop = try Pipe()
            let pending = try Pipe()
            let pair = try Pair()
            let socket = pair.server.descriptor
            let number = try open()
            let box = RingBox()
            let (silent, stopped) = (pending.reader, stop.reader)
            let owner = TestThread {
                let group = BufferGroup(identifier: 1, count: 1, bytes: 8)
                var ring = try Ring(entries: 8)
                try ring.register(group)
                try ring.preparePoll(silent, .readable, token: 60)
                try ring.prepareReceive(.descriptor(socket), from: 1, .link, token: 61)
                try ring.prepareClose(owned(number), token: 62)
                try ring.submit()
                box.ring = consume ring
                try ready.write()
                try waitUntilReadable(stopped)
            }
            try waitUntilReadable(ready.reader)
            #expect(isOpen(number))
            box.ring = nil
            #expect(!isOpen(number))
            try stop.write()
            try owner.join()
        }
    }

    @Test func aReservedTokenIsRefused() async {
        await #expect(processExitsWith: .failure) {
            var ring = try Ring(entries: 8)
            try ring.prepareCancel(target: 1, token: Ring.firstReservedToken)
        }
        await #expect(processExitsWith: .failure) {
            var ring = try Ring(entries: 8)
            try ring.prepareMessage(to: ring.descriptor, messageToken: .max, token: 1)
        }
    }

    /// The parent closes its descriptor, and the child its copy.
    @Test func parentAndChildOfAForkCloseTheirOwn() async {
        await #expect(processExitsWith: .success) {
            var ring: Ring? = try Ring(entries: 8)
            let queued = try open()
            let early = try open()
            try ring!.prepareClose(owned(early), token: 4)
            try ring!.submit()
            let reused = try open()
            precondition(reused == early)
            try ring!.prepareClose(owned(queued), token: 5)
            let child = forkProcess()
            if child == 0 {
                precondition(isOpen(queued))
                ring = nil
                _exit(!isOpen(queued) && isOpen(reused) ? 0 : 1)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0, "the child closed the wrong ones")
            precondition(isOpen(queued))
            try ring!.submit()
            precondition(!isOpen(queued) && isOpen(reused))
        }
    }
}

private func open() throws -> BorrowedDescriptor {
    BorrowedDescriptor(try FileDescriptor.open("/dev/null", .readOnly))
}

private func owned(_ number: BorrowedDescriptor) -> OwnedDescriptor {
    OwnedDescriptor(owning: FileDescriptor(rawValue: number.rawValue))
}

/// All numbers that are open in the table of this thread.
private func openNumbers() -> [CInt] { (0..<4096).filter { isOpen(BorrowedDescriptor(rawValue: $0)) } }

/// A ring that goes from thread to thread; only one has it at a time.
private final class RingBox: @unchecked Sendable {
    var ring: Ring?
}
