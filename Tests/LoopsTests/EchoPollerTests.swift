import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Meters

/// The multishot loop on a ring with a poller that falls asleep at once and whose queues are far too small.
@Suite struct EchoPollerTests {
    private func echo(
        _ plan: ServerPlan, _ numbers: [CInt], stop: BorrowedDescriptor, _ meter: WorkerMeter
    ) -> BenchThread<Void> {
        BenchThread("worker", processor: nil) { () throws(Errno) in
            let traffic = Traffic(.read, connections: numbers.count)
            let capacity = Int(numbers.max()!) + 1
            let connections = EchoConnections(capacity: capacity, tailBytes: traffic.messageBytes, OpenCount())
            for number in numbers { connections.began(number) }
            let member = WorkerTeam.Member(index: 0, meter: meter, stop: stop, gate: StartGate())
            let format = RequestFormat(traffic)
            var worker = EchoWorker(plan, traffic, member, connections, format)
            var group = BufferGroup(
                identifier: 0, count: 64, bytes: traffic.chunkBytes, headroom: traffic.messageBytes)
            var ring = try Ring(
                entries: 4, completions: 4, [.submitAll], poller: SubmissionPoller(idle: .milliseconds(1)))
            try ring.preparePoll(stop, .readable, token: Token(.stop).rawValue)
            try ring.register(group)
            let streams = MultishotStreams(format, capacity: capacity, group, into: .descriptors)
            let waiting = RingWaiting(plan.loop.mode.options)
            try echoFromRingMultishot(
                &ring, waiting, &group, streams, listeners: [], connections: numbers, &worker)
        }
    }

    @Test func completionsThatDoNotFitAreServedToo() throws {
        let mode = try #require(Mode.named("uring-sqpoll"))
        if let reason = mode.unsupportedReason(rings: RingSupport.probe(), for: .read) {
            return print("skipped: \(reason)")
        }
        var pairs: [(server: CInt, client: CInt)] = []
        for _ in 0..<32 {
            var ends: [CInt] = [-1, -1]
            #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
            pairs.append((ends[0], ends[1]))
            var limit = timeval(tv_sec: 20, tv_usec: 0)
            setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        let sent = [UInt8](0..<64)
        // The first messages are there before the first receive, so the queue has overflowed before it is looked at.
        for pair in pairs { #expect(send(pair.client, sent, 64, 0) == 64) }
        let stop = try EventFD()
        let meters = WorkerMeters(count: 1)
        let worker = echo(ServerPlan(.read, mode: mode), pairs.map(\.server), stop: stop.descriptor, meters[0])
        for round in 0..<3 {
            for pair in pairs {
                var received = [UInt8](repeating: 0, count: 64)
                let count = receiveWhole(&received, from: pair.client)
                #expect(count == 64 && received == sent, "round \(round): \(Errno(rawValue: errno))")
            }
            // The poller's time of looking in vain is over.
            usleep(5000)
            if round < 2 { for pair in pairs { #expect(send(pair.client, sent, 64, 0) == 64) } }
        }
        try stop.add()
        if case .failure(let error) = worker.join() { Issue.record(error) }
        #expect(meters[0][.operations] == 96 && meters[0][.errors] == 0)
        #expect(meters[0][.completionOverflows] > 0)
        for pair in pairs {
            close(pair.server)
            close(pair.client)
        }
    }
}
