import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Files given from ring to ring.
@Suite(.enabled(if: canDo(\.messageFiles), whyNot)) struct RingMessageFileTests {
    /// Whether the receiver's completions are posted by other threads or by its own alone.
    static let setups: [RingSetup] = [[], [.singleIssuer, .deferTaskRun]]

    @Test(arguments: setups) func aConnectionIsGivenToAnotherRing(_ setup: RingSetup) throws {
        guard try RingCapabilities.probe().setups.isSuperset(of: setup) else { return }
        var sender = try Ring(entries: 8, setup)
        var receiver = try Ring(entries: 8, setup)
        try sender.registerFileSlots(count: 2)
        try receiver.registerFileSlots(count: 2)
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        try sender.prepareAccept(on: .descriptor(listener.descriptor), into: .slot(Slot(1)), token: 1)
        #expect(try sender.completion().result == 0)
        try sender.prepareMessage(
            slot: Slot(1), to: receiver.descriptor, into: .slot(Slot(0)), messageToken: 3, token: 2)
        let sent = try sender.completion()
        #expect(sent.token == 2 && sent.result == 0)
        let received = try receiver.completion()
        #expect(received.token == 3 && received.result == 0)
        // It is closed when both have closed it.
        try sender.emptySlot(Slot(1))
        let bytes: [UInt8] = [6]
        try bytes.withUnsafeBytes {
            try receiver.prepareSend(.slot(Slot(0)), from: $0.baseAddress!, count: 1, token: 4)
            #expect(try receiver.completion().result == 1)
        }
        #expect(try client.bytes() == [6])
        try receiver.emptySlot(Slot(0))
        #expect(try client.bytes() == [])
    }

    @Test func theKernelPicksASlot() throws {
        var sender = try Ring(entries: 8)
        var receiver = try Ring(entries: 8)
        try sender.registerFileSlots(count: 1)
        try receiver.registerFileSlots(count: 3)
        let pipe = try Pipe()
        try sender.registerFile(pipe.reader, slot: Slot(0))
        try receiver.registerFile(pipe.reader, slot: Slot(0))
        for expected in [Int32(1), 2] {
            try sender.prepareMessage(
                slot: Slot(0), to: receiver.descriptor, into: .anySlot, messageToken: 3, token: 2)
            #expect(try sender.completion().result == expected)
            #expect(try receiver.completion().result == expected)
        }
        try sender.prepareMessage(slot: Slot(0), to: receiver.descriptor, into: .anySlot, messageToken: 3, token: 2)
        #expect(try sender.completion().error == .tooManyOpenFilesInSystem)
        #expect(receiver.readyCompletions == 0)
    }

    @Test func theReceiverNeedNotHearOfIt() throws {
        var sender = try Ring(entries: 8)
        var receiver = try Ring(entries: 8)
        try sender.registerFileSlots(count: 1)
        try receiver.registerFileSlots(count: 1)
        let pipe = try Pipe()
        try sender.registerFile(pipe.reader, slot: Slot(0))
        try sender.prepareMessage(
            slot: Slot(0), to: receiver.descriptor, into: .slot(Slot(0)), messageToken: nil, token: 2)
        #expect(try sender.completion().result == 0)
        #expect(try receiver.isQuiet())
        try receiver.prepareClose(slot: Slot(0), token: 4)
        #expect(try receiver.completion().result == 0)
    }

    @Test func whatCannotBeGivenIsRefused() throws {
        var sender = try Ring(entries: 8)
        let receiver = try Ring(entries: 8)
        try sender.registerFileSlots(count: 2)
        let pipe = try Pipe()
        try sender.registerFile(pipe.reader, slot: Slot(0))
        let cases: [(Slot, BorrowedDescriptor, Errno)] = [
            (Slot(1), receiver.descriptor, .badFileDescriptor), (Slot(9), receiver.descriptor, .badFileDescriptor),
            (Slot(0), pipe.reader, Errno(rawValue: 77)), (Slot(0), sender.descriptor, .invalidArgument),
            (Slot(0), receiver.descriptor, Errno(rawValue: 6)),
        ]
        for (slot, ring, error) in cases {
            try sender.prepareMessage(slot: slot, to: ring, into: .slot(Slot(0)), messageToken: 3, token: 2)
            #expect(try sender.completion().error == error)
        }
        for destination in [FileDestination.descriptor, .slot(Slot(.max)), .slot(Slot(.max - 1))] {
            #expect(throws: Errno.invalidArgument) {
                try sender.prepareMessage(
                    slot: Slot(0), to: receiver.descriptor, into: destination, messageToken: 3, token: 2)
            }
        }
    }

    @Test(.enabled(if: canDo(\.messageFlags), whyNot)) func messagesCarryFlags() throws {
        var sender = try Ring(entries: 8)
        var receiver = try Ring(entries: 8)
        let flags: CompletionFlags = [.more, .socketNonempty]
        try sender.prepareMessage(
            to: receiver.descriptor, result: 5, messageToken: 3, completionFlags: flags, token: 2)
        #expect(try sender.completion().error == nil)
        let message = try receiver.awaited()
        let (token, result, passed) = (message.token, message.result, message.flags)
        #expect(token == 3 && result == 5 && passed == flags)
    }
}
