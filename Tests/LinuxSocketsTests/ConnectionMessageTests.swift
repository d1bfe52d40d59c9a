import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Transfers with options, and of several pieces.
@Suite struct ConnectionMessageTests {
    @Test func peekingLeavesItThere() throws {
        let pair = try ConnectedPair()
        #expect(try pair.client.send([1, 2, 3]) == 3)
        try waitUntilReadable(pair.server.descriptor)
        for _ in 0..<2 { #expect(try pair.server.take(2, .peek) == [1, 2]) }
        #expect(try pair.server.take(8, []) == [1, 2, 3])
        #expect(try pair.server.take(8, .withoutWaiting) == nil)
    }

    /// It takes several messages until all of the room is filled.
    @Test func waitingForAllFillsTheRoom() throws {
        let pair = try ConnectedPair()
        let borrowed = pair.server.descriptor
        let waiter = TestThread {
            let server = Connection(owning: try borrowed.duplicate())
            return try server.take(6, .waitAll)
        }
        for byte in [1, 2, 3, 4, 5] as [UInt8] {
            try waiter.waitUntilBlocked()
            #expect(try pair.client.send([byte]) == 1)
        }
        try waiter.waitUntilBlocked()
        #expect(!waiter.hasEnded)
        #expect(try pair.client.send([6, 7]) == 2)
        #expect(try waiter.join() == [1, 2, 3, 4, 5, 6])
        #expect(try pair.server.bytes() == [7])
    }

    @Test func thePeersEndCutsWaitingForAllShort() throws {
        let pair = try ConnectedPair()
        #expect(try pair.client.send([1, 2]) == 2)
        try pair.client.finishSending()
        #expect(try pair.server.take(6, .waitAll) == [1, 2])
        #expect(try pair.server.take(6, .waitAll) == [])
    }

    @Test func aNonblockingSocketWaitsForNothing() throws {
        let pair = try ConnectedPair([.nonblocking])
        #expect(try pair.server.take(6, .waitAll) == nil)
        #expect(try pair.client.send([1]) == 1)
        try waitUntilReadable(pair.server.descriptor)
        #expect(try pair.server.take(6, .waitAll) == [1])
    }

    @Test func piecesAreSentInOrderAndReceivedApart() throws {
        let pair = try ConnectedPair()
        #expect(try pair.client.sendPieces([[1, 2], [3]]) == 3)
        #expect(try pair.client.sendPieces([[4], [], [5, 6, 7]]) == 4)
        let first = try #require(try pair.server.takePieces([2, 3], .waitAll))
        #expect(first.count == 5 && first.pieces == [[1, 2], [3, 4, 5], []])
        let second = try #require(try pair.server.takePieces([1, 0, 1], .waitAll))
        #expect(second.count == 2 && second.pieces == [[6], [], [7]])
        try pair.client.finishSending()
        try waitUntilReadable(pair.server.descriptor)
        #expect(try pair.server.takePieces([1, 1])?.count == 0)
        #expect(throws: Errno.invalidArgument) { try pair.server.takePieces([0, 0]) }
        #expect(throws: Errno.invalidArgument) { try pair.server.takePieces([0, 0, 0]) }
        #expect(throws: Errno.invalidArgument) { try pair.server.take(0, .peek) }
    }

    @Test func aFullBufferTakesAPartOfThePieces() throws {
        let pair = try ConnectedPair([.nonblocking])
        let piece = [UInt8](repeating: 7, count: 1 << 16)
        var sent = 0
        while let count = try pair.server.sendPieces([piece, piece, piece]) { sent += count }
        #expect(sent > 0)
        #expect(try pair.server.sendWithOptions(piece, .withoutWaiting) == nil)
        var received = 0
        while received < sent { received += try pair.client.bytes(atMost: 1 << 16).count }
        #expect(received == sent)
    }

    @Test func aResetIsAnErrorOfEveryForm() throws {
        let listener = try loopbackListener([.resetOnClose])
        let client = try connect(to: listener)
        try acceptNext(from: listener).close()
        try waitUntilReadable(client.descriptor)
        #expect(throws: Errno.connectionReset) { try client.takePieces([1, 1]) }
        // With SIGPIPE at its default these lines would end the process if the flag were missing.
        #expect(throws: Errno.brokenPipe) { try client.sendPieces([[1], [2]]) }
        #expect(throws: Errno.brokenPipe) { try client.sendWithOptions([1], .more) }
    }

    @Test func moreIsSentWithTheNext() throws {
        let pair = try ConnectedPair()
        #expect(try pair.client.sendWithOptions([1], .more) == 1)
        #expect(try pair.client.sendWithOptions([2], []) == 1)
        #expect(try pair.server.take(2, .waitAll) == [1, 2])
    }
}
