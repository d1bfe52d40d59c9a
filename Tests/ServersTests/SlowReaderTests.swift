import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// A client that sends much and reads nothing of it for a while: replies lie in the server's queue, in the very memory that
/// a receive brought them into where they are sent without a copy.
@Suite struct SlowReaderTests {
    private static let modes = ["uring-multishot", "uring-zerocopy", "uring-zerocopy-fixed", "uring-sqpoll"]
    private static let messageBytes = 4096

    /// A buffer that is given back before the kernel is done with it is received into again, and the client gets a later
    /// message in place of an earlier one.
    @Test(arguments: modes) func getsEveryReplyAsItWasSent(_ name: String) throws {
        let mode = try #require(Mode.named(name))
        if let reason = mode.unsupportedReason(rings: RingSupport.probe(), for: .read) {
            return print("skipped: \(reason)")
        }
        let traffic = Traffic(.read, connections: 1, messageBytes: Self.messageBytes)
        let server = try LocalServer(ServerPlan(.read, mode: mode), expecting: traffic)
        let client = try StreamSocket(for: server.address, .blocking).connect(to: server.address)
        let number = client.descriptor.rawValue
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        #expect(try server.prepare(unless: []))
        server.begin(.never)

        let message = MessagePattern(bytes: Self.messageBytes)
        let messages = sendWhatIsTaken(message, number)
        // More than the server has buffers for.
        #expect(messages > 16)
        var received = [UInt8](repeating: 0, count: Self.messageBytes)
        for sequence in 0..<messages {
            let count = receiveWhole(&received, from: number)
            try #require(count == Self.messageBytes, "reply \(sequence): \(Errno(rawValue: errno))")
            let isRight = received.withUnsafeBytes { message.matches(UInt64(sequence), $0.baseAddress!) }
            try #require(isRight, "reply \(sequence) of \(messages) is not what was sent")
        }
        #expect(server.snapshot().totals[.errors] == 0)
        #expect(server.end(windowEnd: 0).error == nil)
        withExtendedLifetime(client) {}
    }

    /// Sends until nothing has been taken for a tenth of a second, or 4 MiB were.
    ///
    /// - Returns: how many messages were taken whole.
    private func sendWhatIsTaken(_ message: MessagePattern, _ client: CInt) -> Int {
        var buffer = [UInt8](repeating: 0, count: Self.messageBytes)
        var (sent, idle) = (0, 0)
        while idle < 100 && sent < 4 << 20 {
            let (sequence, start) = sent.quotientAndRemainder(dividingBy: Self.messageBytes)
            buffer.withUnsafeMutableBytes { message.write(UInt64(sequence), to: $0.baseAddress!) }
            let count = buffer.withUnsafeBytes {
                send(client, $0.baseAddress! + start, Self.messageBytes - start, CInt(MSG_DONTWAIT))
            }
            if count > 0 {
                (sent, idle) = (sent + count, 0)
            } else {
                // The server may be about to take more.
                idle += 1
                usleep(1000)
            }
        }
        return sent / Self.messageBytes
    }
}
