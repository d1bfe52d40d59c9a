import Glibc
import Histogram
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage
import TestSupport
import Testing

@testable import Load

/// Clients of datagrams against a peer that answers as it is told to.
@Suite struct DatagramClientTests {
    @Test(arguments: [1, 2, 3, 7, 8, 9, 300]) func numbersAreReadBackWhateverFits(_ bytes: Int) {
        let pattern = DatagramPattern(bytes: bytes)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
        defer { unsafe memory.deallocate() }
        for number in [0, 1, 127, 255, 256, 65_535, 70_000, 1 << 40] as [UInt64] {
            unsafe pattern.write(number, to: memory)
            for ahead in [1, 2, UInt64(pattern.mostInFlight)] {
                let found = unsafe pattern.number(memory, before: number + ahead)
                #expect(found == number)
            }
            let matches = unsafe pattern.matches(number, memory)
            #expect(matches)
            guard bytes > 8 else { continue }
            unsafe memory.storeBytes(
                of: ~memory.load(fromByteOffset: bytes - 1, as: UInt8.self), toByteOffset: bytes - 1, as: UInt8.self)
            let stillMatches = unsafe pattern.matches(number, memory)
            #expect(!stillMatches)
        }
    }

    /// Runs one client against a socket that this test answers from.
    private func run(
        depth: Int, bytes: Int = 32, milliseconds: UInt64 = 300,
        _ answer: @escaping @Sendable (borrowing DatagramSocket, [UInt8], SocketAddress, Int) throws -> Void
    ) async throws -> ClientResult {
        let server = try DatagramSocket(boundTo: .loopback())
        let address = try server.localAddress
        var plan = LoadPlan(.datagram)
        (plan.connections, plan.depth, plan.messageBytes) = (1, depth, bytes)
        let start = ClientStart()
        let client = BenchThread("client", processor: nil) { [plan] () throws(Errno) in
            try DatagramClient(plan, to: address, connections: 1, seed: 1).run(plan, client: 0, seed: 1, start)
        }
        let begin = monotonicNanoseconds() + 1_000_000
        let end = begin + milliseconds * 1_000_000
        start.begin(
            RunWindow(loadStart: begin, start: begin, end: end, deadline: end + 10_000_000_000), Abandonment())
        var count = 0
        while true {
            // What the client has given up may be here still when it has ended.
            let isOver = client.isFinished
            var entry = pollfd(fd: server.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&entry, 1, 10)
            if ready == 0 && isOver { break }
            guard ready == 1 else { continue }
            var room = [UInt8](repeating: 0, count: 65_536)
            var peer: SocketAddress?
            var span = room.mutableSpan
            var memory = span.mutableBytes
            guard let datagram = try server.receive(into: &memory, from: &peer), let peer else { continue }
            try answer(server, Array(room.prefix(datagram.count)), peer, count)
            count += 1
        }
        let result = try client.join().get()
        #expect(result.datagrams.sent == UInt64(count))
        #expect(result.datagrams.received + result.datagrams.lost == result.datagrams.sent)
        #expect(result.lost == 0)
        return result
    }

    @Test func silenceIsLostAndTheLoadGoesOn() async throws {
        let result = try await run(depth: 2) { _, _, _, _ in }
        // Two at the start, and two more when those were given up.
        #expect(result.datagrams.received == 0 && result.datagrams.lost >= 4 && result.datagrams.reordered == 0)
        #expect(result.latencies.histogram.totalCount == 0)
    }

    @Test func everyOtherAnswerIsCounted() async throws {
        let result = try await run(depth: 4) { (socket, bytes, peer, index) in
            if index % 2 == 0 { _ = try socket.send(bytes.span.bytes, to: peer) }
        }
        #expect(result.datagrams.received > 0 && result.datagrams.lost >= 4 && result.failures.total == 0)
        #expect(result.datagrams.reordered == 0 && result.datagrams.late == 0)
    }

    @Test func answersThatOvertakeAreCounted() async throws {
        let held = Locked<[UInt8]?>(nil)
        let result = try await run(depth: 2, milliseconds: 50) { (socket, bytes, peer, index) in
            // The first of all waits until the second is answered.
            guard index > 0 else { return held.withLock { $0 = bytes } }
            _ = try socket.send(bytes.span.bytes, to: peer)
            guard index == 1, let first = held.withLock({ $0 }) else { return }
            _ = try socket.send(first.span.bytes, to: peer)
        }
        #expect(result.datagrams.reordered == 1 && result.datagrams.late == 0 && result.failures.total == 0)
    }

    @Test func anAnswerTwiceIsLateAndWrongBytesFail() async throws {
        let twice = try await run(depth: 1, milliseconds: 50) { (socket, bytes, peer, _) in
            for _ in 0..<2 { _ = try socket.send(bytes.span.bytes, to: peer) }
        }
        #expect(twice.datagrams.late > 0 && twice.failures.total == 0)
        let wrong = try await run(depth: 1, milliseconds: 50) { (socket, bytes, peer, index) in
            var bytes = bytes
            if index == 3 { bytes[31] ^= 1 }
            _ = try socket.send(bytes.span.bytes, to: peer)
        }
        #expect(wrong.failures.total == 1 && wrong.failures.isOnly(.wrongBytes))
    }
}
