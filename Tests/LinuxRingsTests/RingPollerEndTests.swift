import CSocketExtras
import Foundation
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxRings

/// The end of rings with a poller: what it may still be at work on, and what it never saw.
///
/// Each runs in a descriptor table of its own, where no other test takes the number that was closed.
@Suite(.enabled(if: pollersAvailable && descriptorTablesAvailable, "no pollers, or no descriptor tables of a thread"))
struct RingPollerEndTests {
    @Test(arguments: [EntryFlags(), .skipSuccess]) func aCloseIsCarriedOut(_ flags: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.polled()
            let number = try looseNumber()
            try ring.prepareClose(OwnedDescriptor(owning: number.file), flags, token: 5)
            try ring.preparePoll(.standardError, .writable, token: 6)
            let expected: [UInt64] = flags.isEmpty ? [5, 6] : [6]
            #expect(try ring.completions(expected.count).map(\.token).sorted() == expected)
            #expect(!isOpen(number))
        }
    }

    @Test func aCloseThatWasNotHandedOverIsMadeUpFor() throws {
        try withOwnDescriptorTable {
            var box: LooseRing? = LooseRing(try Ring.polled())
            try box!.ring.preparePoll(.standardError, .writable, token: 1)
            try box!.ring.submit()
            let number = try looseNumber()
            try box!.ring.prepareClose(OwnedDescriptor(owning: number.file), token: 5)
            #expect(isOpen(number))
            box = nil
            #expect(!isOpen(number))
        }
    }

    /// Handed over and perhaps not taken yet: the poller closes it, and nobody a second time.
    @Test func aCloseThatWasHandedOverIsNotRepeated() throws {
        try withOwnDescriptorTable {
            for _ in 0..<50 {
                var box: LooseRing? = LooseRing(try Ring.polled())
                let number = try looseNumber()
                try box!.ring.prepareClose(OwnedDescriptor(owning: number.file), token: 5)
                try box!.ring.submit()
                box = nil
                #expect(!isOpen(number))
            }
        }
    }

    @Test func aNumberThatWasGivenOutAgainIsLeftToItsNewOwner() throws {
        try withOwnDescriptorTable {
            var box: LooseRing? = LooseRing(try Ring.polled())
            let number = try looseNumber()
            try box!.ring.prepareClose(OwnedDescriptor(owning: number.file), token: 5)
            try box!.ring.submit()
            try box!.ring.spinUntilReady()
            let stranger = try looseNumber()
            #expect(stranger == number)
            box = nil
            #expect(isOpen(stranger))
        }
    }

    @Test func aChildClosesItsCopiesOfWhatWasNotHandedOver() async {
        await #expect(processExitsWith: .success) {
            var box: LooseRing? = LooseRing(try Ring.polled())
            let handedOver = try looseNumber()
            try box!.ring.prepareClose(OwnedDescriptor(owning: handedOver.file), token: 1)
            #expect(try box!.ring.completion().token == 1)
            let queued = try looseNumber()
            try box!.ring.prepareClose(OwnedDescriptor(owning: queued.file), token: 2)
            let child = forkProcess()
            if child == 0 {
                box = nil
                _exit(isOpen(queued) ? 1 : 0)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0, "the child kept its copy")
            // The parent's is closed by the poller, and its completions are its own.
            precondition(isOpen(queued))
            let completion = try box!.ring.completion()
            precondition(completion.token == 2 && completion.error == nil)
            precondition(!isOpen(queued))
        }
    }
}

/// What is pending when a ring with a poller ends.
@Suite(.enabled(if: pollersAvailable && multishotAvailable, whyNoPollers)) struct RingPollerPendingTests {
    /// Memory that was leaked because the end could not show that the kernel is done with it would live on.
    @Test(arguments: [0, 1 << 4] as [UInt8], [false, true])
    func theMemoryOfAGroupIsFreed(_ flags: UInt8, isHandedOver: Bool) throws {
        weak var memory: BufferMemory?
        let pair = try Pair()
        do {
            var ring = try Ring.polled()
            let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
            memory = group.memory
            try ring.register(group)
            // With IOSQE_ASYNC a worker of the poller's arms it.
            let flags = EntryFlags(unchecked: flags)
            for token in UInt64(1)...4 {
                try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, flags, token: token)
            }
            if isHandedOver { try ring.submit() }
        }
        #expect(memory == nil)
    }

    @Test(arguments: [1, 2] as [UInt32]) func aSmallQueueEndsToo(_ entries: UInt32) throws {
        weak var memory: BufferMemory?
        let pair = try Pair()
        do {
            var ring = try Ring.polled(entries: entries, completions: 64)
            let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
            memory = group.memory
            try ring.register(group)
            for token in UInt64(1)...20 {
                try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: token)
            }
            try ring.submit()
        }
        #expect(memory == nil)
    }

    /// A poller answers to every thread.
    @Test func aRingEndsOnAnotherThread() throws {
        weak var memory: BufferMemory?
        let pair = try Pair()
        do {
            var ring = try Ring.polled()
            let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
            memory = group.memory
            try ring.register(group)
            try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
            try ring.submit()
            let box = Handed(LooseRing(ring))
            try onOwnThread { box.value = nil }
        }
        #expect(memory == nil)
    }

    @Test func theOwningRingWorksOnAPoller() throws {
        var ring = DescriptorRing(try Ring.polled())
        let pair = try Pair()
        let token = try ring.insert(pair.server.descriptor.duplicate())
        for round in UInt8(0)..<10 {
            _ = try pair.client.send([round])
            try ring.prepareReceive(token, into: RequestBuffer(capacity: 16))
            #expect(try ring.wait(timeout: patience))
            guard let event = ring.nextEvent() else { throw PatienceIsOver() }
            #expect(event.result == 1)
            let buffer = event.takeBuffer()
            #expect(buffer.bytes.unsafeLoad(as: UInt8.self) == round)
        }
        try ring.prepareReceive(token, into: RequestBuffer(capacity: 16))
        _ = try ring.wait(timeout: .zero)
        try ring.close(token)
        let count = ring.count
        #expect(count == 0)
    }

    /// Requests that the poller has, may have, and never saw.
    @Test func theOwningRingEndsWithRequestsEverywhere() throws {
        let pair = try Pair()
        for _ in 0..<20 {
            var ring = DescriptorRing(try Ring.polled(entries: 4, completions: 64))
            let token = try ring.insert(pair.server.descriptor.duplicate())
            for _ in 0..<11 { try ring.prepareReceive(token, into: RequestBuffer(capacity: 16)) }
        }
        // None of them took it.
        _ = try pair.client.send([9])
        #expect(try pair.server.bytes() == [9])
    }
}

/// What one thread gives to another to end.
private final class Handed: @unchecked Sendable {
    // Unchecked: the threads follow one another.
    var value: LooseRing?

    init(_ value: LooseRing) { self.value = value }
}

extension BorrowedDescriptor {
    fileprivate var file: FileDescriptor { FileDescriptor(rawValue: rawValue) }
}
