import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import TestSupport
import Testing

@testable import Loops
@testable import Meters
@testable import Servers

/// The loop over bundles and its twin in C: the same work, and the same counts.
@Suite(.serialized) struct BundleCountTests {
    private static let rounds = 20

    /// Sends messages at once and waits for all of them, again and again.
    private func counts(_ implementation: Implementation, depth: Int) throws -> [WorkerCount: UInt64] {
        var plan = ServerPlan(.read, mode: try #require(Mode.named("uring-bundle")))
        plan.loop.implementation = implementation
        let server = try LocalServer(plan, expecting: Traffic(.read, connections: 1, depth: depth))
        let client = try StreamSocket(for: server.address, .blocking).connect(to: server.address)
        try setSocketOption(.noDelay, on: client.descriptor)
        let number = client.descriptor.rawValue
        // A server that forgets a message fails the test instead of stopping it.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        #expect(try server.prepare(unless: []))
        server.begin(.never)
        let message = MessagePattern(bytes: 64)
        for round in 0..<Self.rounds {
            var sent = [UInt8](repeating: 0, count: 64 * depth)
            sent.withUnsafeMutableBytes { memory in
                for index in 0..<depth {
                    message.write(UInt64(round * depth + index), to: memory.baseAddress! + 64 * index)
                }
            }
            #expect(send(number, sent, sent.count, 0) == sent.count)
            var received = [UInt8](repeating: 0, count: sent.count)
            let count = receiveWhole(&received, from: number)
            #expect(count == sent.count && received == sent)
        }
        let operations = UInt64(Self.rounds * depth)
        // A worker counts after it has answered, so the count may come a moment later.
        for _ in 0..<5000 {
            if server.snapshot().totals[.operations] == operations { break }
            usleep(1000)
        }
        let totals = server.snapshot().totals
        #expect(totals[.operations] == operations && totals[.receivedBytes] == 64 * operations)
        #expect(server.end(windowEnd: 0).error == nil)
        try client.close()
        return totals
    }

    @Test(arguments: [1, 2, 16, 64]) func swiftAndCCountTheSame(depth: Int) throws {
        let mode = try #require(Mode.named("uring-bundle"))
        if let reason = mode.unsupportedReason(rings: RingSupport.probe(), for: .read) {
            return print("skipped: \(reason)")
        }
        let (swift, c) = (try counts(.swift, depth: depth), try counts(.c, depth: depth))
        for count in [WorkerCount.operations, .receivedBytes, .receives, .completions, .submissions, .rearms] {
            #expect(swift[count] == c[count], "\(count) at depth \(depth)")
        }
        // One message comes with one completion, and many with fewer.
        let receives = try #require(swift[.receives])
        #expect(depth == 1 ? receives == Self.rounds : receives < UInt64(Self.rounds * depth))
    }
}
