import Synchronization
import TestSupport
import Testing

@testable import Loops

@Suite struct ConnectionTurnTests {
    private func connections() -> EchoConnections {
        let connections = EchoConnections(capacity: 4, tailBytes: 16, OpenCount())
        connections.began(2)
        return connections
    }

    @Test func aConnectionIsHandedOutOnce() {
        let connections = connections()
        #expect(connections.claim(2))
        #expect(!connections.claim(2) && !connections.claim(2))
        // Something came meanwhile: it is read once more, however much it was.
        #expect(!connections.giveUp(2))
        #expect(connections.giveUp(2))
        #expect(connections.claim(2))
    }

    @Test func aNewConnectionIsWithNobody() {
        let connections = connections()
        #expect(connections.claim(2) && !connections.claim(2))
        connections.ended(2)
        connections.began(2)
        #expect(connections.claim(2))
    }

    /// What is noted while somebody has the connection is seen by whoever has it, or by the next.
    @Test func nothingIsForgotten() throws {
        let connections = connections()
        let counts = Counts()
        let rounds = 20_000
        let noting = TestThread { () -> Void in
            for _ in 0..<rounds {
                counts.put.wrappingAdd(1, ordering: .sequentiallyConsistent)
                if connections.claim(2) { counts.handed.wrappingAdd(1, ordering: .sequentiallyConsistent) }
            }
        }
        let end = ContinuousClock.now + .milliseconds(Int64(patienceMilliseconds))
        var (taken, seen) = (0, 0)
        while seen < rounds && ContinuousClock.now < end {
            guard counts.handed.load(ordering: .sequentiallyConsistent) > taken else { continue }
            taken += 1
            repeat { seen = counts.put.load(ordering: .sequentiallyConsistent) } while !connections.giveUp(2)
        }
        try noting.join()
        #expect(seen == rounds)
    }

    private final class Counts: Sendable {
        let put = Atomic(0)
        let handed = Atomic(0)
    }

    @Test func bytesAddUpToMessages() {
        let connections = connections()
        #expect(connections.completed(2, adding: 10, of: 64) == 0)
        #expect(connections.partialBytes(2) == 10)
        #expect(connections.completed(2, adding: 54, of: 64) == 1)
        #expect(connections.completed(2, adding: 64 * 3 + 1, of: 64) == 3)
        #expect(connections.partialBytes(2) == 1)
    }
}
