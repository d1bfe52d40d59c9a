import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Connections in the ring's own file table, used by token like any other.
@Suite(.enabled(if: multishotReceiveAvailable, whyNoRings)) struct DescriptorRingSlotTests {
    @Test func aSlotIsUsedLikeADescriptor() throws {
        let scene = try SlotScene(slots: 4)
        let client = try connect(to: scene.address)
        let token = try scene.accepted()
        let buffers = try scene.ring.base.addBuffers(count: 2, bytes: 8)
        #expect(scene.ring.base.descriptor(of: token) == nil)
        try scene.ring.base.prepareReceive(token, from: buffers)
        for round in UInt8(0)..<5 {
            #expect(try client.send([round, 1]) == 2)
            let data = try scene.ring.awaited()
            let name = data.token
            #expect(name == token)
            let buffer = data.takeGroupBuffer()
            #expect(buffer.contents == [round, 1])
            try scene.ring.base.prepareSend(token, from: buffer)
            #expect(SeenEvent(try scene.ring.awaited()).result == 2)
            #expect(try client.bytes() == [round, 1])
        }
        try scene.ring.base.cancel(.receive, on: token)
        #expect(scene.ring.next()?.error == .canceled)
        var reply = RequestBuffer(capacity: 8)
        _ = reply.append(([9, 9] as [UInt8]).span.bytes)
        try scene.ring.base.prepareSend(token, from: reply)
        let back = try scene.ring.awaited().takeBuffer()
        #expect(try client.bytes() == [9, 9])
        try scene.ring.base.preparePoll(token, .writable)
        let found = try scene.ring.awaited().readiness
        #expect(found == .writable)
        try scene.ring.base.prepareReceive(token, into: back)
        try scene.ring.base.close(token)
        #expect(try client.bytes() == [])
        #expect(scene.ring.base.tokens == [scene.listener])
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func itTakesNoDescriptor() throws {
        try withOwnDescriptorTable {
            let scene = try SlotScene(slots: 4)
            let clients = try (0..<3).map { _ in try connect(to: scene.address).release().release() }
            let next = try BorrowedDescriptor.standardError.duplicate()
            let free = next.descriptor.rawValue
            try next.close()
            for _ in 0..<3 { _ = try scene.accepted() }
            let same = try BorrowedDescriptor.standardError.duplicate()
            #expect(same.descriptor.rawValue == free)
            for client in clients { try client.close() }
        }
    }

    @Test func aTokenOfAFormerLifeDoesNothing() throws {
        let scene = try SlotScene(slots: 1)
        let first = try connect(to: scene.address)
        let one = try scene.accepted()
        try scene.ring.base.close(one)
        #expect(try first.bytes() == [])
        let second = try connect(to: scene.address)
        let two = try scene.accepted()
        #expect(one != two)
        #expect(throws: Errno.noSuchFileOrDirectory) { try scene.ring.base.close(one) }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try scene.ring.base.prepareReceive(one, into: RequestBuffer(capacity: 8))
        }
        var bytes = RequestBuffer(capacity: 8)
        _ = bytes.append(([1] as [UInt8]).span.bytes)
        try scene.ring.base.prepareSend(two, from: bytes)
        #expect(SeenEvent(try scene.ring.awaited()).result == 1)
        #expect(try second.bytes() == [1])
    }

    @Test func withoutAFreeSlotItEndsAndCanBeQueuedAgain() throws {
        let scene = try SlotScene(slots: 1)
        let first = try connect(to: scene.address)
        let token = try scene.accepted()
        let second = try connect(to: scene.address)
        let ending = try scene.ring.awaited()
        let (error, isArmed, accepted) = (ending.error, ending.isArmed, ending.accepted)
        #expect(error == .tooManyOpenFilesInSystem && !isArmed && accepted == nil)
        var byte: UInt8 = 0
        #expect(recv(second.descriptor.rawValue, &byte, 1, 0) <= 0)
        try scene.ring.base.close(token)
        #expect(try first.bytes() == [])
        try scene.ring.base.prepareAcceptIntoSlot(scene.listener)
        let third = try connect(to: scene.address)
        let last = try scene.accepted()
        #expect(last != token)
        try scene.ring.base.close(last)
        #expect(try third.bytes() == [])
    }

    /// Whether it is in the ring's queue, or was taken from there.
    @Test(arguments: [false, true]) func aConnectionThatNobodyHeardOfEndsWithTheListener(isKept: Bool) throws {
        let scene = try SlotScene(slots: 2)
        #expect(try !scene.ring.base.wait(timeout: .nanoseconds(1)))
        let client = try connect(to: scene.address)
        try scene.ring.base.wait()
        if isKept { try scene.ring.base.drain(scene.listener) }
        try scene.ring.base.close(scene.listener)
        var byte: UInt8 = 0
        #expect(recv(client.descriptor.rawValue, &byte, 1, 0) <= 0)
        #expect(scene.ring.base.count == 0 && scene.ring.next() == nil)
    }

    @Test func anEventThatIsNotTakenLeavesTheConnectionInTheRing() throws {
        let scene = try SlotScene(slots: 2)
        let client = try connect(to: scene.address)
        _ = SeenEvent(try scene.ring.awaited())
        #expect(scene.ring.base.count == 2)
        try scene.ring.base.closeAll()
        #expect(try client.bytes() == [])
    }

    @Test func slotsEndWithTheRing() throws {
        let scene = try SlotScene(slots: 4)
        let clients = try (0..<2).map { _ in try connect(to: scene.address).release().release() }
        _ = try scene.accepted()
        let pending = try scene.accepted()
        try scene.ring.base.prepareReceive(pending, into: RequestBuffer(capacity: 8))
        #expect(try !scene.ring.base.wait(timeout: .nanoseconds(1)))
        scene.end()
        for client in clients {
            let connection = Connection(owning: OwnedDescriptor(owning: client))
            #expect(try connection.bytes() == [])
        }
    }

    @Test func aSlotHasNoDescriptorToGive() throws {
        let scene = try SlotScene(slots: 1)
        let client = try connect(to: scene.address)
        let token = try scene.accepted()
        #expect(throws: Errno.invalidArgument) { _ = try scene.ring.base.remove(token) }
        #expect(throws: Errno.badFileDescriptor) { try scene.ring.base.send([1].span.bytes, to: token) }
        var bytes = [UInt8](repeating: 0, count: 4)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        let refusal = failure { () throws(Errno) in try scene.ring.base.receive(from: token, into: &raw) }
        #expect(refusal == .badFileDescriptor)
        #expect(throws: Errno.resourceBusy) { try scene.ring.base.makeSlots(count: 1) }
        _ = client
    }

    @Test func withoutATableNothingIsAccepted() throws {
        let ring = try TestRing()
        let socket = try loopbackListener()
        let address = try socket.address
        let listener = try ring.base.insert(socket.release())
        try ring.base.prepareAcceptIntoSlot(listener)
        let client = try connect(to: address)
        let event = try ring.awaited()
        let (error, accepted) = (event.error, event.accepted)
        #expect(error != nil && accepted == nil)
        #expect(ring.base.count == 1)
        _ = client
    }
}

/// A listener on a ring that accepts into slots.
private final class SlotScene {
    private var kept: TestRing?
    var ring: TestRing { kept! }
    let listener: RingToken
    let address: SocketAddress

    init(slots: UInt32) throws {
        let ring = try TestRing()
        kept = ring
        let socket = try loopbackListener()
        address = try socket.address
        listener = try ring.base.insert(socket.release())
        try ring.base.makeSlots(count: slots)
        try ring.base.prepareAcceptIntoSlot(listener)
    }

    /// The next connection.
    func accepted() throws -> RingToken {
        let event = try ring.awaited()
        let (operation, token) = (event.operation, event.accepted)
        #expect(operation == .acceptIntoSlot)
        return try #require(token)
    }

    func end() { kept = nil }
}

private func connect(to address: SocketAddress) throws -> Connection {
    try StreamSocket(for: address, .blocking).connect(to: address)
}
