import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import Reference
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Meters

/// Sends without a copy when no more memory may be locked: the kernel refuses them, and each is made again with a copy.
@Suite struct ZeroCopyShortageTests {
    /// Runs the loop of a mode over a connection, on a thread without the privilege to lock what it likes.
    private static func echo(
        _ plan: ServerPlan, _ traffic: Traffic, _ number: CInt, stop: BorrowedDescriptor, _ meter: WorkerMeter
    ) -> BenchThread<Void> {
        BenchThread("worker", processor: nil) { () throws(Errno) in
            if geteuid() == 0 && c_become_user(65534) != 0 { throw Errno(rawValue: errno) }
            if plan.loop.implementation == .c {
                let flags = REFERENCE_ZERO_COPY.rawValue
                return try checkReference(
                    reference_read_multishot(
                        [number], 1, stop.rawValue, 16, traffic.messageBytes, traffic.chunkBytes, 8, flags,
                        meter.address))
            }
            let connections = EchoConnections(
                capacity: Int(number) + 1, tailBytes: traffic.messageBytes, OpenCount())
            connections.began(number)
            let member = WorkerTeam.Member(index: 0, meter: meter, stop: stop, gate: StartGate())
            let format = RequestFormat(traffic)
            var worker = EchoWorker(plan, traffic, member, connections, format)
            var group = BufferGroup(
                identifier: 0, count: 8, bytes: traffic.chunkBytes, headroom: traffic.messageBytes)
            var ring = try Ring.forThisThread(entries: 16)
            try ring.preparePoll(stop, .readable, token: Token(.stop).rawValue)
            try ring.register(group)
            let sending = try ReplySending(.plain, from: group, &ring)
            let streams = MultishotStreams(
                format, capacity: Int(number) + 1, group, into: .descriptors, sending)
            try echoFromRingMultishot(
                &ring, RingWaiting(), &group, streams, listeners: [], connections: [number], &worker)
        }
    }

    private static func allowLocking(_ bytes: rlim_t) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        limit.rlim_cur = min(bytes, limit.rlim_max)
        setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
    }

    /// A process of its own has the limit, and which user is whose does not matter to others.
    private static func run(_ implementation: Implementation) throws {
        guard let mode = Mode.named("uring-zerocopy"),
            mode.unsupportedReason(rings: RingSupport.probe(), for: .read) == nil
        else { return }
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            client.descriptor.rawValue, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let number = server.release().release().rawValue
        var plan = ServerPlan(.read, mode: mode)
        plan.loop.implementation = implementation
        var traffic = Traffic(.read, connections: 1)
        traffic.messageBytes = 1000
        let stop = try EventFD()
        let meters = WorkerMeters(count: 1)
        let worker = echo(plan, traffic, number, stop: stop.descriptor, meters[0])
        // More messages than there are buffers, so that each must have been given back.
        for round in 0..<UInt8(60) {
            // With the ring's own memory counted, nothing may be locked from the second on.
            if round == 1 { allowLocking(0) }
            let message = [UInt8](repeating: round, count: 1000)
            let sent = try client.send(message)
            var reply = [UInt8](repeating: 0xff, count: 1000)
            let count = receiveWhole(&reply, from: client.descriptor.rawValue)
            try #require(sent == 1000 && count == 1000 && reply == message, "round \(round)")
        }
        try stop.add()
        if case .failure(let error) = worker.join() { throw error }
        #expect(meters[0][.operations] == 60 && meters[0][.errors] == 0)
        // All but the first were sent twice.
        #expect(meters[0][.submissions] >= 60 + 59)
        close(number)
    }

    @Test func theReplyIsSentWithACopy() async {
        await #expect(processExitsWith: .success) { try Self.run(.swift) }
    }

    @Test func theReferenceSendsItWithACopyToo() async {
        await #expect(processExitsWith: .success) { try Self.run(.c) }
    }
}
