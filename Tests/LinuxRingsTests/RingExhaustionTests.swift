import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Requests that make descriptors, where there are none any more.
@Suite(.enabled(if: canDo(\.socket) && descriptorTableCanBeFilled, whyNoFilling)) struct RingExhaustionTests {
    @Test func withoutDescriptorsSlotsWillDo() throws {
        try withOwnDescriptorTable {
            _ = try DescriptorLimit.raise()
            var ring = try Ring.forThisThread(entries: 8)
            try ring.registerFileSlots(count: 4)
            let address = try abstractAddress("exhaustion")
            let listener = try Listener(address)
            let client = try StreamSocket(for: address, .blocking).connect(to: address)
            let filled = try fillDescriptorTable()
            try ring.prepareSocket(family: AF_INET, .stream, token: 1)
            try ring.prepareAccept(on: listener.descriptor, token: 2)
            #expect(try ring.errors(2) == [1: .tooManyOpenFiles, 2: .tooManyOpenFiles])
            // The connection is in the queue still.
            try ring.prepareSocket(family: AF_INET, .stream, into: .anySlot, token: 3)
            #expect(try ring.completion().error == nil)
            try ring.prepareAccept(on: .descriptor(listener.descriptor), into: .slot(Slot(3)), token: 4)
            #expect(try ring.completion().result == 0)
            let bytes: [UInt8] = [9]
            try bytes.withUnsafeBytes {
                try ring.prepareSend(.slot(Slot(3)), from: $0.baseAddress!, count: 1, token: 5)
                #expect(try ring.completion().result == 1)
            }
            #expect(try client.bytes() == [9])
            for descriptor in filled { try descriptor.close() }
        }
    }

    /// More timeouts at once than the queues have room for: each is told, and once.
    @Test func timeoutsThatOverflowTheQueueAreAllTold() throws {
        var ring = try Ring(entries: 8, completions: 16)
        for token in 0..<UInt64(200) { try ring.prepareTimeout(.after(.milliseconds(1)), token: token) }
        let seen = try ring.completions(200)
        #expect(seen.allSatisfy { $0.error == .timeout })
        #expect(Set(seen.map(\.token)) == Set(0..<200))
        #expect(try ring.isQuiet())
    }
}
