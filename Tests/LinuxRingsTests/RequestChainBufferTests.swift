import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Chains with slots, and with buffers of groups.
@Suite(.enabled(if: multishotReceiveAvailable, whyNoRings)) struct RequestChainBufferTests {
    @Test func aSlotIsClosedBehindASend() throws {
        let ring = try TestRing()
        let socket = try loopbackListener()
        let address = try socket.address
        let listener = try ring.base.insert(socket.release())
        try ring.base.makeSlots(count: 1)
        try ring.base.prepareAcceptIntoSlot(listener)
        for number in UInt8(0)..<3 {
            let client = try StreamSocket(for: address, .blocking).connect(to: address)
            let accepted = try ring.awaited().accepted
            let token = try #require(accepted)
            var chain = RequestChain()
            chain.send(filled([number]), to: token)
            chain.close(token)
            try ring.base.prepare(chain)
            #expect(try ring.events(2).map(\.result) == [1, 0])
            #expect(try client.bytes() == [number])
            #expect(try client.bytes() == [])
            #expect(ring.base.tokens == [listener])
        }
    }

    @Test(arguments: [false, true]) func buffersOfGroupsAreGivenBack(isBroken: Bool) throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 1)
        try ring.base.prepareReceive(token, from: buffers)
        #expect(write(ends.second, "xy", 2) == 2)
        var chain = RequestChain()
        chain.send(try ring.awaited().takeGroupBuffer(), to: token)
        chain.send(try ring.awaited().takeGroupBuffer(), to: token)
        #expect(try ring.base.freeBuffers(of: buffers) == 0)
        if isBroken { #expect(shutdown(ends.second, CInt(SHUT_RD)) == 0) }
        try ring.base.prepare(chain)
        var results: [Int32] = []
        while results.count < 2 {
            let event = SeenEvent(try ring.awaited())
            if event.operation == .send { results.append(event.result) }
        }
        #expect(results == (isBroken ? [-EPIPE, -ECANCELED] : [1, 1]))
        #expect(try ring.base.freeBuffers(of: buffers) == 2)
    }

    @Test func aChainThatIsNotQueuedGivesItsBuffersBack() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 1, bytes: 1)
        try ring.base.prepareReceive(token, from: buffers)
        #expect(write(ends.second, "x", 1) == 1)
        do {
            var chain = RequestChain()
            chain.send(try ring.awaited().takeGroupBuffer(), to: token)
            chain.send(filled([1]), to: token)
            #expect(try ring.base.freeBuffers(of: buffers) == 0)
        }
        #expect(try ring.base.freeBuffers(of: buffers) == 1)
    }
}
