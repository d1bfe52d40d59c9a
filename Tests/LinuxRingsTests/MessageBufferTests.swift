import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

private let nothing: [UInt8] = []
private let three: [UInt8] = [1, 2, 3]

/// What a message holds, and what becomes of wrong sizes.
@Suite struct MessageBufferTests {
    @Test func aNewMessageIsEmpty() {
        let message = MessageBuffer(segments: [3, 0, 5], addressCapacity: 16, controlCapacity: 24)
        #expect(message.count == 0)
        var capacities: [Int] = []
        for segment in 0..<3 {
            capacities.append(message.capacity(ofSegment: segment))
            #expect(message.bytes(ofSegment: segment).isEmpty)
        }
        #expect(capacities == [3, 0, 5])
        #expect(message.addressBytes.isEmpty)
        #expect(message.isAddressTruncated == false)
        #expect(message.controlParts.isEmpty)
        #expect(message.isLent == false)
        #expect(message.flags.isEmpty)
    }

    @Test func segmentsHoldWhatIsPutIntoThem() {
        var message = MessageBuffer(segments: [3, 4])
        message.put([1, 2, 3])
        message.put([4, 5], ofSegment: 1)
        #expect(message.count == 5)
        #expect(message.bytes() == [1, 2, 3] && message.bytes(ofSegment: 1) == [4, 5])
        message.put([9])
        #expect(message.bytes() == [9])
        message.setContents(nothing.span.bytes)
        #expect(message.bytes() == [])
        message.removeAll()
        #expect(message.count == 0)
    }

    @Test func bytesAreTakenFromTheFrontOfOneSegmentAfterTheOther() {
        var message = MessageBuffer(segments: [3, 0, 4])
        message.put([1, 2, 3])
        message.put([4, 5, 6, 7], ofSegment: 2)
        message.removeFirst(0)
        message.removeFirst(2)
        #expect(message.bytes() == [3] && message.bytes(ofSegment: 2) == [4, 5, 6, 7])
        message.removeFirst(3)
        #expect(message.bytes() == [] && message.bytes(ofSegment: 2) == [6, 7])
        message.removeFirst(2)
        #expect(message.count == 0)
        message.put([1, 2, 3])
        #expect(message.bytes() == [1, 2, 3])
    }

    @Test func controlDataIsKeptInOrder() throws {
        var message = MessageBuffer(capacity: 1, controlCapacity: 24 + 16)
        try message.appendControl(ControlMessage(level: 7, type: 8), three.span.bytes)
        try message.appendControl(ControlMessage(level: 9, type: 10), nothing.span.bytes)
        var seen: [(ControlMessage, [UInt8])] = []
        message.forEachControlMessage { seen.append(($0, array($1))) }
        #expect(seen.map(\.0) == [ControlMessage(level: 7, type: 8), ControlMessage(level: 9, type: 10)])
        #expect(seen.map(\.1) == [[1, 2, 3], []])
        #expect(throws: Errno.noBufferSpace) {
            try message.appendControl(ControlMessage(level: 7, type: 8), nothing.span.bytes)
        }
        #expect(message.controlParts.count == 2)
        message.removeControl()
        #expect(message.controlParts.isEmpty)
    }

    @Test func addressesAreKept() {
        var message = MessageBuffer(capacity: 1, addressCapacity: 4)
        message.putAddress([1, 2, 3, 4])
        #expect(message.addressBytes == [1, 2, 3, 4])
        message.putAddress([5])
        #expect(message.addressBytes == [5])
        message.removeAddress()
        #expect(message.addressBytes == [])
    }

    @Test func impossibleSizesAreRefused() async {
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(segments: []) }
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(segments: [0, 0]) }
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(segments: [1, -1]) }
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(segments: Array(repeating: 1, count: 1025)) }
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(segments: [0x7fff_f000, 1]) }
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(segments: [.max, .max]) }
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(capacity: 1, addressCapacity: 129) }
        await #expect(processExitsWith: .failure) { _ = MessageBuffer(capacity: 1, controlCapacity: -1) }
        await #expect(processExitsWith: .failure) { _ = MessageLayout(addressCapacity: 129) }
        await #expect(processExitsWith: .failure) { _ = MessageLayout(controlCapacity: 1 << 17) }
    }

    @Test func whatDoesNotFitIsRefused() async {
        await #expect(processExitsWith: .failure) {
            var message = MessageBuffer(capacity: 2)
            message.put([1, 2, 3])
        }
        await #expect(processExitsWith: .failure) {
            var message = MessageBuffer(capacity: 2)
            message.put([1], ofSegment: 1)
        }
        await #expect(processExitsWith: .failure) {
            var message = MessageBuffer(capacity: 2)
            message.put([1])
            message.removeFirst(2)
        }
        await #expect(processExitsWith: .failure) {
            var message = MessageBuffer(capacity: 2, addressCapacity: 1)
            message.putAddress([1, 2])
        }
    }

    @Test(.enabled(if: ringsAvailable, whyNoRings)) func aLentMessageIsLeftAlone() async {
        await #expect(processExitsWith: .failure) {
            try lend { message, _ in message.put([1]) }
        }
        await #expect(processExitsWith: .failure) {
            try lend { message, _ in _ = message.contents() }
        }
        await #expect(processExitsWith: .failure) {
            try lend { message, ring in
                try ring.prepareSendMessage(.descriptor(.standardError), from: &message, token: 2)
            }
        }
        // What the others add to this is what ends the process.
        await #expect(processExitsWith: .success) {
            try lend { message, _ in #expect(message.isLent == true) }
            // Not by exit: what the kernel may still write into is a leak to LeakSanitizer.
            _exit(0)
        }
    }
}

/// A message that a receive works on.
private func lend(_ body: (inout MessageBuffer, inout Ring) throws -> Void) throws {
    var ring = try Ring(entries: 8)
    let pair = try UnixPair()
    var message = MessageBuffer(capacity: 8)
    try ring.prepareReceiveMessage(.descriptor(pair.first.descriptor), into: &message, token: 1)
    try ring.submit()
    try body(&message, &ring)
}
