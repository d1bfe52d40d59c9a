import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// What others put into a ring's queues, or know of another ring, does nothing.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct DescriptorRingForeignTests {
    /// Before, the message was taken for an accept, and its result for a connection to be closed.
    @Test(
        .enabled(if: descriptorTablesAvailable, whyNoTables),
        arguments: [0, 1, 0x1_0000_0000, 0x1_0000_0001] as [UInt64])
    func aMessageClosesNothing(_ messageToken: UInt64) throws {
        try withOwnDescriptorTable {
            let victim = BorrowedDescriptor(try FileDescriptor.open("/dev/null", .readOnly))
            let plain = try Ring(entries: 8)
            let target = plain.descriptor
            let ring = TestRing(plain)
            let token = try ring.base.insert(try FileDescriptor.openOwned("/dev/null"))
            try ring.base.close(token)
            var sender = try Ring(entries: 8)
            try sender.prepareMessage(
                to: target, result: victim.rawValue, messageToken: messageToken, token: 1)
            #expect(try sender.completion().error == nil)
            #expect(try !ring.base.wait(timeout: .milliseconds(1)))
            #expect(ring.next() == nil)
            #expect(ring.base.foreignCompletions == 1)
            #expect(isOpen(victim))
        }
    }

    @Test func aMessageDoesNotEndTheWait() throws {
        let plain = try Ring(entries: 8)
        let target = plain.descriptor
        let ring = TestRing(plain)
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.preparePoll(token, .readable)
        var sender = try Ring(entries: 8)
        for number in UInt64(1)...3 { try sender.prepareMessage(to: target, messageToken: number, token: 1) }
        _ = try sender.completions(3)
        #expect(try !ring.base.wait(timeout: .milliseconds(1)))
        #expect(ring.base.foreignCompletions == 3)
        for number in UInt64(1)...3 { try sender.prepareMessage(to: target, messageToken: number, token: 1) }
        _ = try sender.completions(3)
        #expect(write(ends.second, "x", 1) == 1)
        try ring.base.wait()
        #expect(ring.next()?.token == token)
    }

    @Test func aUsedRingIsNotTakenOver() async {
        await #expect(processExitsWith: .failure) {
            var ring = try Ring(entries: 8)
            try ring.preparePoll(.standardError, .writable, token: 1)
            _ = DescriptorRing(ring)
        }
        await #expect(processExitsWith: .failure) {
            var ring = try Ring(entries: 8)
            try ring.preparePoll(.standardError, .writable, token: 1)
            try ring.submit()
            _ = DescriptorRing(ring)
        }
    }

    @Test func aTokenOfAnotherRingIsUnknown() throws {
        let one = try TestRing()
        let two = try TestRing()
        let ends = try SocketPair()
        let others = try SocketPair()
        let token = try one.base.insert(ends.takeFirst())
        let other = try two.base.insert(others.takeFirst())
        #expect(token != other && token.index == other.index)
        #expect(two.base.descriptor(of: token) == nil)
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.close(token) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.drain(token) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.preparePoll(token, .readable) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.prepareAccept(token) }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try two.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
        }
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.send([1].span.bytes, to: token) }
        #expect(two.base.count == 1)
    }
}

/// Connections and buffers belong to whoever takes them, and to the ring until then.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RingEventTests {
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: [false, true])
    func aConnectionThatIsNotTakenIsClosed(isTaken: Bool) throws {
        try withOwnDescriptorTable {
            let ring = try TestRing()
            let listener = try loopbackListener()
            let address = try listener.address
            let token = try ring.base.insert(listener.release())
            try ring.base.prepareAccept(token)
            let client = try StreamSocket(for: address, .blocking).connect(to: address)
            let event = try ring.awaited()
            let operation = event.operation
            #expect(operation == .accept)
            if isTaken {
                let connection = Connection(owning: try event.takeDescriptor())
                #expect(try connection.send([1]) == 1)
                #expect(try client.bytes() == [1])
            } else {
                _ = consume event
                #expect(try client.bytes() == [])
            }
        }
    }

    @Test func takingFromAFailedAcceptThrowsItsError() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.prepareAccept(token)
        #expect(throws: Errno.invalidArgument) { try ring.awaited().takeDescriptor().close() }
    }

    @Test func onlyAnAcceptBringsAConnection() async {
        await #expect(processExitsWith: .failure) {
            let ring = try TestRing()
            let ends = try SocketPair()
            let token = try ring.base.insert(ends.takeFirst())
            try ring.base.preparePoll(token, .writable)
            _ = try ring.awaited().takeDescriptor()
        }
        await #expect(processExitsWith: .failure) {
            let ring = try TestRing()
            let ends = try SocketPair()
            let token = try ring.base.insert(ends.takeFirst())
            try ring.base.preparePoll(token, .writable)
            _ = try ring.awaited().takeBuffer()
        }
    }

    /// Everything that was accepted before the drain comes, and what was not is still in the listener's queue.
    @Test func aDrainedListenerLosesNoConnection() throws {
        let ring = TestRing(try Ring(entries: 8, completions: 64))
        let listener = try loopbackListener()
        let address = try listener.address
        let token = try ring.base.insert(listener.release())
        try ring.base.prepareAccept(token)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        let clients = try (UInt8(0)..<10).map { number in
            let client = try StreamSocket(for: address, .blocking).connect(to: address)
            _ = try client.send([number])
            return BorrowedDescriptor(client.release().release())
        }
        defer { for client in clients { _ = OwnedDescriptor(owning: .init(rawValue: client.rawValue)) } }
        try ring.base.drain(token)
        var numbers: [UInt8] = []
        var isEnded = false
        while let event = ring.base.nextEvent() {
            if event.isArmed {
                numbers += try Connection(owning: event.takeDescriptor()).bytes()
            } else {
                let error = event.error
                #expect(error == .canceled && !isEnded)
                isEnded = true
            }
        }
        #expect(isEnded && ring.base.droppedCompletions == 0)
        let rest = Listener(owning: try ring.base.remove(token))
        while numbers.count < 10 { numbers += try acceptNext(from: rest).bytes() }
        #expect(numbers.sorted() == Array(0..<10))
    }

    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling))
    func aShortageIsVisibleAndNothingIsQueuedByItself() throws {
        try withOwnDescriptorTable {
            _ = try DescriptorLimit.raise()
            let ring = try TestRing()
            let listener = try loopbackListener()
            let address = try listener.address
            let token = try ring.base.insert(listener.release())
            let client = try StreamSocket(for: address, .blocking).connect(to: address)
            let filled = try fillDescriptorTable()
            try ring.base.prepareAccept(token)
            try ring.base.wait()
            let event = try #require(ring.next())
            #expect(event.error?.isShortage == true && !event.isArmed)
            #expect(try !ring.base.wait(timeout: .milliseconds(1)))
            _ = OwnedDescriptor(owning: .init(rawValue: filled[0].rawValue))
            try ring.base.prepareAccept(token)
            let connection = Connection(owning: try ring.awaited().takeDescriptor())
            #expect(try connection.send([1]) == 1)
            #expect(try client.bytes() == [1])
        }
    }
}

extension FileDescriptor {
    static func openOwned(_ path: FilePath) throws -> OwnedDescriptor {
        OwnedDescriptor(owning: try FileDescriptor.open(path, .readOnly))
    }
}
