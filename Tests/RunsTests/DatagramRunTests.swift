import Histogram
import LinuxRings
import LinuxSockets
import Records
import RunSupport
import TestSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Whole runs of datagrams, short ones.
@Suite(.serialized) struct DatagramRunTests {
    /// Modes that have a loop for datagrams here.
    static let modes: [Mode] = {
        let rings = RingSupport.probe()
        return Mode.every.filter { $0.serves(.datagram) }.filter { mode in
            guard let reason = mode.unsupportedReason(rings: rings, for: .datagram) else { return true }
            print("skipped: \(mode.name): \(reason)")
            return false
        }
    }()

    static let names = modes.map(\.name)

    private func plan(_ name: String, bytes: Int = 64, connections: Int = 8, depth: Int = 1) throws -> RunPlan {
        var plan = RunPlan(.datagram, mode: try #require(Mode.named(name)))
        plan.load.connections = connections
        plan.load.messageBytes = bytes
        plan.load.depth = depth
        plan.warmupNanoseconds = 0
        plan.durationNanoseconds = 50_000_000
        return plan
    }

    /// What holds of every run: each datagram that was sent is accounted for, and what came back was right.
    private func expectAccounted(_ measurement: Measurement) {
        let counts = measurement.datagrams
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(counts.received + counts.lost == counts.sent && counts.received > 0)
        #expect(counts.lostInWindow <= counts.lost && counts.lost <= counts.sent)
        #expect(measurement.failures.total == 0, "\(measurement.failures.text)")
        #expect(measurement.totals[.errors] == 0 && measurement.lost == 0)
        #expect(measurement.latencies.totalCount > 0 && measurement.operations > 0)
    }

    @Test(arguments: names, [1, 7, 64, 1_472, 9_000, 65_507])
    func everyDatagramComesBackWhole(_ name: String, _ bytes: Int) throws {
        let measurement = try measure(plan(name, bytes: bytes, connections: 2))
        expectAccounted(measurement)
        let receives = try #require(measurement.totals[.receives])
        #expect(receives > 0)
        // None for a datagram; a worker that begins within the window has a few.
        if AllocationCount.isCounted { #expect(measurement.server.allocations <= 16 + measurement.operations / 100) }
    }

    @Test(arguments: names) func severalInFlightKeepTheirOrder(_ name: String) throws {
        var plan = try plan(name, bytes: 100, connections: 4, depth: 16)
        // A thread that changes its processor leaves what it has sent in the queue of the old one.
        plan.loop.placement = .automatic(workers: 1, clients: 1)
        let measurement = try measure(plan)
        expectAccounted(measurement)
        #expect(measurement.datagrams.reordered == 0)
    }

    @Test(arguments: names) func severalWorkersShareAPort(_ name: String) throws {
        var plan = try plan(name, connections: 32)
        plan.server.workers = 3
        plan.load.clients = 2
        let measurement = try measure(plan)
        expectAccounted(measurement)
        #expect(measurement.perWorker.count == 3 && measurement.perWorker.reduce(0, +) == measurement.operations)
    }

    @Test(arguments: names) func theLoopbackOfIPv6Works(_ name: String) throws {
        guard loopbackRefusal(to: .loopback6()) == nil else { return print("skipped: no ::1 here") }
        var plan = try plan(name, bytes: 2_000, depth: 4)
        plan.server.address = .loopback6()
        expectAccounted(try measure(plan))
    }

    @Test(arguments: names) func anOpenLoopSendsWhatIsDue(_ name: String) throws {
        var plan = try plan(name)
        plan.load.pace = .openLoop(perSecond: 2_000)
        let measurement = try measure(plan)
        expectAccounted(measurement)
        #expect(measurement.due == 100)
        #expect(measurement.datagrams.dueInWindow == 100)
    }

    /// A worker that sleeps while its receive buffer overflows: the run ends all the same, and says what is lost.
    @Test(arguments: names) func aFullBufferLosesAndTheRunEnds(_ name: String) throws {
        var plan = try plan(name, bytes: 8_000, connections: 4, depth: 64)
        plan.server.service = ServiceTime(distribution: .fixed(2_000_000), work: .sleep)
        plan.durationNanoseconds = 400_000_000
        let measurement = try measure(plan)
        expectAccounted(measurement)
        #expect(measurement.datagrams.lostInWindow > 0)
        let warning = "got no answer within 200 ms: a receive buffer was full"
        #expect(measurement.warnings.contains { $0.contains(warning) }, "\(measurement.warnings)")
        var record = RunRecord(plan)
        measurement.fill(&record, plan)
        #expect(record.datagramsLost == measurement.datagrams.lostInWindow)
        #expect(record.datagramsPerReceive.map { $0 > 0 } == true && record.datagramsReordered != nil)
        #expect(try #require(record.networkDrops) > 0 && record.retransmissionsPerOp == nil)
        #expect(measurement.warnings.contains { $0.contains("at the UDP receive buffer") }, "\(measurement.warnings)")
    }

    @Test func stampsSplitTheLatency() throws {
        var plan = try plan("epoll-lt", depth: 4)
        plan.load.takesStamps = true
        plan.warmupNanoseconds = 50_000_000
        let measurement = try measure(plan)
        expectAccounted(measurement)
        let split = try #require(measurement.split)
        #expect(split.client.histogram.totalCount + split.unstamped == measurement.latencies.totalCount)
        #expect(split.client.histogram.totalCount > 0)
        #expect(split.client.histogram.maxRecorded <= measurement.latencies.maxRecorded)
    }

    @Test func batchesAndSegmentsBringMoreThanOne() throws {
        for name in ["epoll-mmsg", "epoll-gro"] where Self.names.contains(name) {
            let plan = try plan(name, bytes: 100, connections: 4, depth: 16)
            let measurement = try measure(plan)
            expectAccounted(measurement)
            var record = RunRecord(plan)
            measurement.fill(&record, plan)
            #expect(try #require(record.datagramsPerReceive) > 1.5, "\(name)")
        }
    }

    /// Whoever sends, and of whatever lengths: what comes back is what was sent.
    @Test(arguments: names) func mixedLengthsKeepTheirBoundaries(_ name: String) throws {
        let plan = try plan(name, bytes: 9_000)
        let server = try DatagramServer(plan.server, expecting: plan.load.traffic)
        #expect(try server.prepare(unless: []))
        server.begin(.never)
        defer { _ = server.end(windowEnd: 0) }
        let socket = try DatagramSocket(for: server.address)
        try socket.connect(to: server.address)
        let parts: [(total: Int, of: Int)] = [
            (2_500, 1_000), (1, 1), (9_000, 9_000), (640, 10), (0, 1), (4_000, 1_300),
        ]
        for part in parts {
            let bytes = (0..<part.total).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ part.of) }
            #expect(try socket.sendSegments(bytes.span.bytes, of: part.of))
            for start in stride(from: 0, to: max(part.total, 1), by: part.of) {
                let wanted = Array(bytes[start..<min(start + part.of, part.total)])
                #expect(try next(socket) == wanted, "\(part) at \(start)")
            }
        }
        #expect(server.operations >= 3 + 1 + 1 + 64 + 1)
    }

    private func next(_ socket: borrowing DatagramSocket) throws -> [UInt8]? {
        try waitUntilReadable(socket.descriptor)
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        return try socket.receive(into: &room).map { Array(bytes.prefix($0.count)) }
    }

    @Test func aPortThatIsTakenIsNamed() throws {
        let taken = try DatagramSocket(boundTo: .loopback())
        var plan = try plan("epoll-lt")
        plan.server.address = try taken.localAddress
        let error = #expect(throws: RunError.self) { try measure(plan) }
        #expect(error?.description.contains("bind to 127.0.0.1:") == true)
    }

    @Test func modesWithoutALoopAreNamedInOneLine() throws {
        for mode in Mode.every where !mode.serves(.datagram) {
            let reason = try #require(mode.refusal(for: .datagram))
            #expect(reason.hasPrefix("\(mode.name) has no loop for --workload datagram; use "))
            #expect(reason.contains("epoll-lt") && reason.contains("epoll-gro") && !reason.contains("\n"))
        }
        #expect(Self.modes.allSatisfy { $0.refusal(for: .datagram) == nil })
    }
}
