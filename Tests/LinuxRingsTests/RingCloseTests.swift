import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingCloseTests {
    @Test func closeEndsTheConnectionOnce() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        try ring.prepareClose(server.release(), token: 5)
        let completion = try ring.completion()
        #expect(completion.token == 5)
        #expect(completion.result == 0)
        #expect(try client.bytes() == [])
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func nobodyElseClosesWhatTheRingCloses() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let owned = OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .readOnly))
            let number = owned.descriptor
            try ring.prepareClose(owned, token: 5)
            #expect(isOpen(number))
            #expect(try ring.completion().result == 0)
            let reused = try FileDescriptor.open("/dev/null", .readOnly)
            #expect(BorrowedDescriptor(reused) == number)
            #expect(isOpen(number))
        }
    }

    @Test func closeOfAnUnknownNumberFails() throws {
        var ring = try Ring.forThisThread(entries: 8)
        // A number past every limit: nobody has it open.
        let none = OwnedDescriptor(owning: FileDescriptor(rawValue: .max))
        try ring.prepareClose(none, token: 5)
        #expect(try ring.completion().error == .badFileDescriptor)
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings))
    func successCanBeKeptQuiet() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        try ring.prepareClose(server.release(), .skipSuccess, token: 5)
        try ring.submit()
        #expect(try client.bytes() == [])
        #expect(try ring.submitAndWait(timeout: .zero) == false)
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings))
    func closedSlotIsFreeAgain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 1)
        let listener = try loopbackListener()
        try ring.prepareMultishotAcceptDirect(on: listener.descriptor, token: 3)
        for _ in 0..<4 {
            let client = try connect(to: listener)
            let accepted = try ring.completion()
            #expect(accepted.result == 0)
            #expect(accepted.isArmed)
            try ring.prepareClose(slot: Slot(0), token: 5)
            let closed = try ring.completion()
            #expect(closed.token == 5)
            #expect(closed.result == 0)
            #expect(try client.bytes() == [])
        }
        try ring.prepareClose(slot: Slot(0), token: 5)
        #expect(try ring.completion().error == .badFileDescriptor)
    }

    @Test func linkedSuccessorRunsOnlyAfterSuccess() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareCancel(target: 1, .link, token: 6)
        try ring.prepareCancel(target: 2, token: 7)
        let errors = Dictionary(uniqueKeysWithValues: try ring.completions(2).map { ($0.token, $0.error) })
        #expect(errors == [6: .noSuchFileOrDirectory, 7: .canceled])
    }
}
