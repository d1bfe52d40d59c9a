import Foundation
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

private let noTable = Errno(rawValue: ENXIO)

/// The ring's file table as a whole.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RingFileTableTests {
    @Test func filesGoIntoSlotsInARow() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 4)
        let pairs = [try UnixBox(), try UnixBox(), try UnixBox()]
        #expect(try ring.registerFiles(pairs.map { $0.pair.first.descriptor }, from: Slot(1)) == 3)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        for (index, box) in pairs.enumerated() {
            let bytes: [UInt8] = [UInt8(index)]
            #expect(try box.pair.second.descriptor.send(bytes.span.bytes) == 1)
            try ring.prepareReceive(.slot(Slot(UInt32(index + 1))), into: memory, count: 8, token: 1)
            #expect(try ring.completion().result == 1)
            #expect(memory.load(as: UInt8.self) == UInt8(index))
        }
        try ring.prepareReceive(.slot(Slot(0)), into: memory, count: 8, token: 1)
        #expect(try ring.completion().error == .badFileDescriptor)
    }

    @Test func aNumberThatIsNotOpenEndsTheRow() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 4)
        let open = BorrowedDescriptor.standardError
        for closed in [CInt.max, -1, -2] {
            let row = [open, open, BorrowedDescriptor(rawValue: closed), open]
            #expect(try ring.registerFiles(row, from: Slot(0)) == 2)
            #expect(throws: Errno.badFileDescriptor) {
                try ring.registerFiles([BorrowedDescriptor(rawValue: closed)], from: Slot(0))
            }
        }
        #expect(throws: Errno.invalidArgument) { try ring.registerFiles([], from: Slot(0)) }
        #expect(throws: Errno.invalidArgument) { try ring.registerFiles([open, open], from: Slot(3)) }
    }

    @Test func theTableCanBeTakenAway() throws {
        var ring = try Ring.forThisThread(entries: 8)
        #expect(throws: noTable) { try ring.unregisterFileSlots() }
        try ring.registerFileSlots(count: 2)
        let pair = try Pair()
        try ring.registerFile(pair.server.descriptor, slot: Slot(1))
        let client = try pair.closeServer()
        try ring.unregisterFileSlots()
        #expect(try client.bytes() == [])
        #expect(throws: noTable) { try ring.registerFile(.standardError, slot: Slot(0)) }
        try ring.registerFileSlots(count: 8)
        try ring.registerFile(.standardError, slot: Slot(7))
    }

    @Test func requestsOnATableThatWasTakenAwayGoOn() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        let pair = try Pair()
        try ring.registerFile(pair.server.descriptor, slot: Slot(1))
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try ring.prepareReceive(.slot(Slot(1)), into: memory, count: 8, token: 1)
        try ring.submit()
        try ring.unregisterFileSlots()
        _ = try pair.client.send([3])
        #expect(try ring.completion().result == 1)
    }

    @Test(.enabled(if: multishotReceiveAvailable, "IORING_REGISTER_FILE_ALLOC_RANGE needs Linux 6.0"))
    func theKernelGivesOutOnlyWhatItMay() throws {
        var ring = try Ring.forThisThread(entries: 8, completions: 64)
        try ring.registerFileSlots(count: 8)
        try ring.setAutomaticSlots(3..<6)
        let listener = try loopbackListener()
        try ring.prepareMultishotAcceptDirect(on: listener.descriptor, token: 3)
        let clients = try Clients(4, to: listener)
        let completions = try ring.completions(4)
        #expect(Set(completions.prefix(3).map(\.result)) == [3, 4, 5])
        #expect(completions[3].error == .tooManyOpenFilesInSystem)
        // The others are the caller's.
        try ring.registerFile(.standardError, slot: Slot(0))
        _ = consume clients
    }

    @Test(.enabled(if: multishotReceiveAvailable, "IORING_REGISTER_FILE_ALLOC_RANGE needs Linux 6.0"))
    func rangesBeyondTheTableAreRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        #expect(throws: Errno.invalidArgument) { try ring.setAutomaticSlots(0..<1) }
        try ring.registerFileSlots(count: 8)
        #expect(throws: Errno.invalidArgument) { try ring.setAutomaticSlots(7..<9) }
        #expect(throws: Errno.invalidArgument) { try ring.setAutomaticSlots(100..<UInt32.max) }
    }
}

/// An array cannot hold what cannot be copied.
private final class UnixBox {
    let pair: UnixPair

    init() throws { pair = try UnixPair() }
}
