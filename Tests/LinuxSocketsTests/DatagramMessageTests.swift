import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Datagrams of several pieces, and several by one call.
@Suite struct DatagramMessageTests {
    @Test(arguments: DatagramKind.allCases) func piecesMakeOneDatagramAndItIsTakenApart(_ kind: DatagramKind) throws {
        guard let pair = try kind.pair() else { return }
        let address = try pair.one.localAddress
        #expect(try pair.other.sendBytes([1, 2], [3], to: address))
        #expect(try pair.one.next().bytes == [1, 2, 3])
        #expect(try pair.other.sendBytes([1], [], [2, 3, 4, 5], to: address))
        try waitUntilReadable(pair.one.descriptor)
        let taken = try #require(try pair.one.nextPieces([2, 1, 3]))
        #expect(taken.pieces == [[1, 2], [3], [4, 5, 0]])
        #expect(taken.datagram.length == 5 && !taken.datagram.isTruncated)
        #expect(try taken.peer == pair.other.localAddress)
    }

    @Test(arguments: DatagramKind.allCases) func whatFitsNoPieceIsCut(_ kind: DatagramKind) throws {
        guard let pair = try kind.pair() else { return }
        try pair.other.connect(to: pair.one.localAddress)
        #expect(try pair.other.sendBytes([UInt8](0..<9), [9]))
        try waitUntilReadable(pair.one.descriptor)
        let taken = try #require(try pair.one.nextPieces([2, 3]))
        #expect(taken.pieces == [[0, 1], [2, 3, 4], []])
        #expect(taken.datagram.length == 10 && taken.datagram.count == 5 && taken.datagram.isTruncated)
        #expect(try pair.one.nextPieces([2, 3]) == nil)
    }

    @Test(arguments: DatagramKind.allCases) func aBatchIsReceivedAndSentBack(_ kind: DatagramKind) throws {
        guard let pair = try kind.pair() else { return }
        let batch = TestBatch(capacity: 4, roomBytes: 8)
        #expect(try batch.receive(from: pair.one) == nil)
        let address = try pair.one.localAddress
        for index in 0..<6 {
            #expect(try pair.other.sendBytes([UInt8](repeating: UInt8(index), count: index * 2), to: address))
        }
        #expect(try batch.receive(from: pair.one) == 4)
        for index in 0..<4 {
            #expect(batch.datagram(at: index).length == index * 2 && !batch.datagram(at: index).isTruncated)
            #expect(try batch.peer(at: index) == pair.other.localAddress)
            #expect(batch.bytes(at: index) == [UInt8](repeating: UInt8(index), count: index * 2))
        }
        #expect(try batch.send(to: pair.one) == 4)
        #expect(batch.count == 0)
        #expect(try batch.send(to: pair.one) == 0)
        for index in 0..<4 { #expect(try pair.other.next().bytes.count == index * 2) }
        #expect(try batch.receive(from: pair.one) == 2)
        #expect(batch.datagram(at: 1).length == 10 && batch.datagram(at: 1).count == 8)
        #expect(batch.datagram(at: 1).isTruncated && batch.bytes(at: 1) == [UInt8](repeating: 5, count: 8))
        #expect(try batch.receive(from: pair.one) == nil)
        #expect(batch.count == 0)
    }

    @Test func aBatchIsFilledByHand() throws {
        let pair = try #require(try DatagramKind.udp.pair())
        try pair.other.connect(to: pair.one.localAddress)
        let batch = TestBatch(capacity: 3, roomBytes: 4)
        #expect(try batch.append([1]))
        #expect(try batch.append([2, 2], to: pair.one.localAddress))
        #expect(try batch.append([]))
        #expect(try !batch.append([4]))
        #expect(throws: Errno.messageTooLong) { try batch.append([1, 2, 3, 4, 5]) }
        #expect(try batch.count == 3 && batch.peer(at: 0) == nil && batch.peer(at: 1) == pair.one.localAddress)
        batch.removeFirst()
        #expect(batch.count == 2 && batch.bytes(at: 0) == [2, 2])
        #expect(try batch.send(to: pair.other) == 2)
        #expect(try pair.one.next().bytes == [2, 2] && pair.one.next().bytes == [])
        // It is empty, so there is room again.
        #expect(try batch.append([9, 9, 9, 9]) && batch.count == 1)
        #expect(try batch.send(to: pair.other) == 1 && pair.one.next().bytes == [9, 9, 9, 9])
    }

    /// What was sent leaves room in front, which is as good as any.
    @Test func roomInFrontIsUsed() throws {
        let pair = try #require(try DatagramKind.udp.pair())
        try pair.other.connect(to: pair.one.localAddress)
        let batch = TestBatch(capacity: 3, roomBytes: 4)
        var expected: [[UInt8]] = []
        for number in UInt8(0)..<19 {
            let bytes = [UInt8](repeating: number, count: Int(number) % 5)
            let address = number % 2 == 0 ? try pair.one.localAddress : nil
            let isAppended = try batch.append(bytes, to: address)
            #expect(isAppended)
            expected.append(bytes)
            guard batch.count == 3 else { continue }
            #expect(try batch.append([1]) == false)
            for _ in 0...Int(number) % 2 {
                batch.removeFirst()
                expected.removeFirst()
            }
            #expect((0..<batch.count).map { batch.bytes(at: $0) } == expected)
        }
        #expect(batch.count == 2 && batch.peer(at: 0) == nil && batch.datagram(at: 1).length == 3)
        #expect(try batch.peer(at: 1) == pair.one.localAddress)
        #expect(try batch.send(to: pair.other) == expected.count)
        for bytes in expected { #expect(try pair.one.next().bytes == bytes) }
        // Each place has memory of its own still.
        for number in UInt8(0)..<3 { #expect(try batch.append([number], to: pair.one.localAddress)) }
        #expect(try batch.send(to: pair.other) == 3)
        #expect(try batch.receive(from: pair.one) == 3)
        #expect((0..<3).map { batch.bytes(at: $0) } == [[0], [1], [2]])
    }

    /// What cannot be sent stops the batch there, and is the error of the call that begins with it.
    @Test func aBatchStopsAtWhatCannotBeSent() throws {
        let pair = try #require(try DatagramKind.udp.pair())
        let batch = TestBatch(capacity: 3, roomBytes: 4)
        #expect(try batch.append([1], to: pair.one.localAddress))
        #expect(try batch.append([2], to: .loopback(port: 0)))
        #expect(try batch.append([3], to: pair.one.localAddress))
        #expect(try batch.send(to: pair.other) == 1 && batch.count == 2)
        #expect(throws: Errno.invalidArgument) { try batch.send(to: pair.other) }
        #expect(batch.count == 2)
        batch.removeFirst()
        #expect(try batch.send(to: pair.other) == 1 && batch.count == 0)
        #expect(try pair.one.next().bytes == [1] && pair.one.next().bytes == [3])
    }

    /// A blocking socket waits for the first datagram and not for a full batch.
    @Test func aBlockingBatchReturnsWithWhatIsThere() throws {
        let socket = try DatagramSocket(boundTo: .loopback(), .blocking)
        let other = try DatagramSocket(for: .loopback())
        #expect(try other.sendBytes([1], to: socket.localAddress))
        #expect(try other.sendBytes([2], to: socket.localAddress))
        let batch = TestBatch(capacity: 8, roomBytes: 8)
        #expect(try batch.receive(from: socket, .peek) != nil)
        var received = 0
        while received < 2 { received += try batch.receive(from: socket) ?? 0 }
        #expect(try received == 2 && batch.receive(from: socket, .withoutWaiting) == nil)
    }

    @Test func whatABatchHasNotIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 0, roomBytes: 1) }
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 1025, roomBytes: 1) }
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 1, roomBytes: 0) }
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 1, roomBytes: 1).datagram(at: 0) }
    }
}
