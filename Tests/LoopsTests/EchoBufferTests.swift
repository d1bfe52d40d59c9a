import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Meters

@Suite struct EchoBufferTests {
    /// Runs the multishot loop over connections of a ring that has two buffers for all of them.
    private func echo(
        _ plan: ServerPlan, _ traffic: Traffic, _ numbers: [CInt], stop: BorrowedDescriptor, _ meter: WorkerMeter
    ) -> BenchThread<Void> {
        BenchThread("worker", processor: nil) { () throws(Errno) in
            let capacity = Int(numbers.max()!) + 1
            let connections = EchoConnections(capacity: capacity, tailBytes: traffic.messageBytes, OpenCount())
            for number in numbers { connections.began(number) }
            let member = WorkerTeam.Member(index: 0, meter: meter, stop: stop, gate: StartGate())
            let format = RequestFormat(traffic)
            var worker = EchoWorker(plan, traffic, member, connections, format)
            let options = plan.loop.mode.options
            var ring = try Ring.forThisThread(entries: 64)
            try ring.preparePoll(stop, .readable, token: Token(.stop).rawValue)
            if options.receivesParts {
                let group = BundleGroup(
                    identifier: 0, count: 2, bytes: traffic.chunkBytes, headroom: traffic.messageBytes,
                    isIncremental: options.incrementalBuffers)
                try ring.register(group)
                let streams = MultishotStreams(
                    format, capacity: capacity, group, receiveFlags: options.bundles ? .bundle : [], into: .descriptors)
                var buffers = PartedBuffers(group, format, capacity: capacity)
                return try echoFromRingMultishot(
                    &ring, RingWaiting(options), &buffers, streams, listeners: [], connections: numbers, &worker)
            }
            var group = BufferGroup(
                identifier: 0, count: 2, bytes: traffic.chunkBytes, headroom: traffic.messageBytes)
            try ring.register(group)
            let streams = MultishotStreams(format, capacity: capacity, group, into: .descriptors)
            try echoFromRingMultishot(
                &ring, RingWaiting(), &group, streams, listeners: [], connections: numbers, &worker)
        }
    }

    @Test(arguments: ["uring-multishot", "uring-bundle", "uring-incremental", "uring-bundle-incremental"])
    func aReceiveThatFoundNoBufferGoesOnWhenThereIsOne(name: String) throws {
        let mode = try #require(Mode.named(name))
        if let reason = mode.unsupportedReason(rings: RingSupport.probe(), for: .read) {
            return print("skipped: \(reason)")
        }
        var pairs: [(server: CInt, client: CInt)] = []
        for _ in 0..<8 {
            var ends: [CInt] = [-1, -1]
            #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
            pairs.append((ends[0], ends[1]))
        }
        // All messages are there before the first receive.
        let sent = [UInt8](0..<64)
        for pair in pairs { #expect(send(pair.client, sent, 64, 0) == 64) }

        let stop = try EventFD()
        let meters = WorkerMeters(count: 1)
        let worker = echo(
            ServerPlan(.read, mode: mode), Traffic(.read, connections: 64), pairs.map(\.server),
            stop: stop.descriptor, meters[0])
        for pair in pairs {
            // A connection that is forgotten fails the test instead of stopping it.
            var limit = timeval(tv_sec: 20, tv_usec: 0)
            setsockopt(pair.client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var received = [UInt8](repeating: 0, count: 64)
            var count = 0
            // A signal, as of another test's process, is not the end.
            repeat { count = recv(pair.client, &received, 64, CInt(MSG_WAITALL)) } while count < 0 && errno == EINTR
            #expect(count == 64, "\(Errno(rawValue: errno))")
            #expect(received == sent)
        }
        try stop.add()
        if case .failure(let error) = worker.join() { Issue.record(error) }
        #expect(meters[0][.buffersExhausted] > 0)
        #expect(meters[0][.operations] == 8)
        #expect(meters[0][.errors] == 0)
        for pair in pairs {
            close(pair.server)
            close(pair.client)
        }
    }
}
