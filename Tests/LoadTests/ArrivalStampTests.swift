import Glibc
import Histogram
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import Load
@testable import Meters

/// Latencies in two parts, by the kernel's stamps.
@Suite struct ArrivalStampTests {
    /// A plan whose replies are stamped.
    private func stamped(_ workload: Workload, connections: Int = 1, depth: Int = 1) -> LoadPlan {
        var plan = plan(workload, connections: connections, depth: depth)
        plan.takesStamps = true
        return plan
    }

    /// Every part of an operation's latency is one of the operation.
    private func expectSplit(_ result: ClientResult, _ operations: Int) throws {
        let split = try #require(result.split)
        #expect(result.failures.total == 0 && split.refusal == 0)
        let (client, before, whole) = (
            split.client.histogram, split.untilArrival.histogram, result.latencies.histogram
        )
        #expect(client.totalCount > 0 && before.totalCount == client.totalCount)
        #expect(client.totalCount + split.unstamped == UInt64(operations))
        #expect(client.maxRecorded <= whole.maxRecorded && before.maxRecorded <= whole.maxRecorded)
        guard split.unstamped == 0 else { return }
        // To the histograms' resolution the parts of all add up to the whole.
        #expect(abs(client.mean + before.mean - whole.mean) <= 0.01 * whole.mean + 1)
    }

    @Test(arguments: [Workload.read, .crr]) func eachReplyIsSplit(_ workload: Workload) throws {
        let server = try ScriptedServer { peer in
            while true {
                let request = peer.receive(64)
                guard request.count == 64 else { return }
                peer.send(request)
            }
        }
        let plan = stamped(workload, connections: 2)
        let result: ClientResult
        if workload == .read {
            var client = try StreamClient(
                EchoFormat(plan), plan, to: server.address, connections: 2, idle: 0, seed: 1)
            client.result.split = LatencySplit()
            client.begin(openWindow)
            // The kernel begins to stamp a moment after the first socket has asked for it.
            try client.wait { $0.result.split.map { $0.client.histogram.totalCount >= 50 } ?? true }
            result = client.result
        } else {
            var client = try ConnectionClient(EchoFormat(plan), plan, to: server.address, capacity: 2)
            client.result.split = LatencySplit()
            client.begin(openWindow)
            while client.result.split.map({ $0.client.histogram.totalCount < 50 }) ?? false,
                client.result.ended < 100_000
            {
                try client.start(client.result.ended + 50)
            }
            result = client.result
        }
        try expectSplit(result, result.answers)
        #expect(result.answers >= 50)
    }

    /// A reply that lies in the socket for 20 ms before it is read is late by the client's fault.
    @Test func whatWaitsInTheSocketIsTheClients() throws {
        let listener = try loopbackListener()
        let socket = try StreamSocket(for: .loopback(), .nonblocking).connect(to: try listener.address)
        let peer = try acceptNext(from: listener)
        let stamps = ArrivalStamps()
        stamps.enable(socket.descriptor.rawValue)
        let offset = WallClockOffset.read()
        var room = [UInt8](repeating: 0, count: 64)
        // The kernel begins to stamp a moment after the first socket has asked for it.
        var tries = 0
        while true {
            let start = monotonicNanoseconds()
            _ = try peer.send([1, 2, 3])
            try waitUntilReadable(socket.descriptor)
            sleepUntil(nanoseconds: monotonicNanoseconds() + 20_000_000)
            let count = unsafe room.withUnsafeMutableBytes {
                unsafe stamps.receive(socket.descriptor.rawValue, $0.baseAddress!, $0.count)
            }
            #expect(count == 3)
            tries += 1
            if stamps.arrival == 0 && tries < 50 { continue }
            let arrival = offset.monotonic(ofReal: stamps.arrival)
            #expect(arrival + offset.error >= start)
            #expect(monotonicNanoseconds() - min(arrival, monotonicNanoseconds()) >= 20_000_000 - offset.error)
            break
        }
        let none = unsafe room.withUnsafeMutableBytes {
            unsafe stamps.receive(socket.descriptor.rawValue, $0.baseAddress!, $0.count)
        }
        #expect(none == -Int(EAGAIN) && stamps.arrival == 0)
    }

    @Test func unixSocketsHaveNoStamps() throws {
        var ends: [CInt] = [0, 0]
        let made = unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends)
        #expect(made == 0)
        defer { for end in ends { close(end) } }
        let stamps = ArrivalStamps()
        stamps.enable(ends[0])
        var byte: UInt8 = 7
        #expect(unsafe write(ends[1], &byte, 1) == 1)
        #expect(unsafe stamps.receive(ends[0], &byte, 1) == 1)
        #expect(stamps.arrival == 0)
        stamps.enable(-1)
        #expect(stamps.refusal == EBADF)
    }

    @Test func controlDataIsReadAsFarAsItGoes() {
        func control(_ length: Int, _ level: CInt, _ type: CInt, _ words: [Int]) -> [UInt8] {
            var bytes: [UInt8] = []
            unsafe withUnsafeBytes(of: length) { unsafe bytes += $0 }
            unsafe withUnsafeBytes(of: level) { unsafe bytes += $0 }
            unsafe withUnsafeBytes(of: type) { unsafe bytes += $0 }
            for word in words { unsafe withUnsafeBytes(of: word) { unsafe bytes += $0 } }
            return bytes
        }
        func stamp(_ bytes: [UInt8]) -> UInt64 { unsafe bytes.withUnsafeBytes { unsafe ArrivalStamps.stamp($0) } }
        let time = control(64, 1, 37, [3, 4, 0, 0, 0, 0])
        #expect(stamp(time) == 3_000_000_004)
        // Another part before it, whose length is rounded up.
        #expect(stamp(control(20, 0, 8, [1]) + time) == 3_000_000_004)
        #expect(stamp([]) == 0 && stamp(Array(time.prefix(15))) == 0 && stamp(Array(time.dropLast(8))) == 0)
        for length in [Int.min, -1, 0, 15, 65, .max] { #expect(stamp(control(length, 1, 37, [3, 4])) == 0) }
        #expect(stamp(control(64, 1, 36, [3, 4, 0, 0, 0, 0])) == 0 && stamp(control(16, 1, 37, [])) == 0)
    }

    @Test func aPartLiesWithinItsOperation() {
        var split = LatencySplit()
        split.begin()
        let offset = UInt64(bitPattern: WallClockOffset.read().nanoseconds)
        let (start, now) = (1_000_000, 3_000_000) as (UInt64, UInt64)
        split.note(startedAt: start, arrivedAt: 0, at: now)
        #expect(split.unstamped == 1 && split.client.histogram.totalCount == 0)
        for arrival in [0, 2_000_000_000, 1 << 60] as [UInt64] {
            split.note(startedAt: start, arrivedAt: offset &+ arrival, at: now)
        }
        #expect(split.client.histogram.totalCount == 3 && split.client.histogram.maxRecorded <= 2_001_000)
        #expect(split.untilArrival.histogram.maxRecorded <= 2_001_000)
        let set = WallClockOffset(nanoseconds: WallClockOffset.read().nanoseconds + 5_000_000, error: 10)
        split.end(refusal: 0, offset: set)
        #expect((4_900_000...5_100_000).contains(split.clockSet))
    }

    @Test func aClockThatWasSetIsToldFromTheErrorOfReading() {
        let start = WallClockOffset(nanoseconds: 1_000, error: 30)
        #expect(WallClockOffset(nanoseconds: 1_070, error: 50).wasSet(since: start) == 0)
        #expect(WallClockOffset(nanoseconds: -1_000, error: 50).wasSet(since: start) == 1_920)
        #expect(start.monotonic(ofReal: 1_500) == 500)
    }
}
