import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Chains in which a request has a time to end in.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RequestChainLimitTests {
    @Test func aReceiveIsLimited() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        var chain = RequestChain()
        chain.receive(from: token, into: filled([7], capacity: 8))
        chain.limit(.milliseconds(5))
        chain.close(token)
        try ring.base.prepare(chain)
        var results: [RingOperation: Errno?] = [:]
        for _ in 0..<3 {
            let event = try ring.awaited()
            let operation = event.operation
            results[operation] = event.error
            if operation != .receive { continue }
            let buffer = event.takeBuffer()
            #expect(buffer.contents == [7])
        }
        #expect(results == [.receive: .canceled, .limit: .timeout, .close: .canceled])
        #expect(ring.base.tokens == [token] && ring.base.pendingOperations(on: token) == [])
    }

    @Test func whatComesInTimeEndsTheLimit() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        var chain = RequestChain()
        chain.receive(from: token, into: RequestBuffer(capacity: 8))
        chain.limit(.seconds(1000))
        chain.close(token)
        try ring.base.prepare(chain)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        #expect(write(ends.second, "xy", 2) == 2)
        var results: [RingOperation: Int32] = [:]
        for event in try ring.events(3) { results[event.operation] = event.result }
        #expect(results == [.receive: 2, .limit: -ECANCELED, .close: 0])
        #expect(ring.base.count == 0 && ends.readAll() == [])
    }

    /// The times of limits that wait in the queue are kept apart.
    @Test func severalLimitsAreQueuedTogether() throws {
        let ring = TestRing(try Ring(entries: 16))
        let ends = try (0..<4).map { _ in try SocketPair() }
        let tokens = try ends.map { try ring.base.insert($0.takeFirst()) }
        for (index, token) in tokens.enumerated() {
            var chain = RequestChain()
            chain.poll(token, .readable)
            chain.limit(index == 2 ? .milliseconds(1) : .seconds(1000))
            try ring.base.prepare(chain)
        }
        let events = try ring.events(2)
        #expect(events.allSatisfy { $0.token == tokens[2] })
        #expect(Set(events.map(\.error)) == [.canceled, .timeout])
        try ring.base.closeAll()
    }
}
