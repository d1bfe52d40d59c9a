import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringCapabilities?.busyPolling == true, "IORING_REGISTER_NAPI needs Linux 6.9"))
struct RingBusyPollingTests {
    @Test func whatWasSetComesBack() throws {
        var ring = try Ring(entries: 8)
        #expect(
            try ring.setBusyPolling(Ring.BusyPolling(duration: .microseconds(70), prefersPolling: true)).duration
                == .zero)
        let former = try ring.setBusyPolling(Ring.BusyPolling(duration: .microseconds(30)))
        #expect(former == Ring.BusyPolling(duration: .microseconds(70), prefersPolling: true))
        #expect(try ring.setBusyPolling(nil) == Ring.BusyPolling(duration: .microseconds(30)))
        #expect(try ring.setBusyPolling(nil).duration == .zero)
    }

    /// Loopback has no queue to look at, so a wait there is as long as always.
    @Test func waitsAreServedAllTheSame() throws {
        let pair = try Pair()
        var ring = try Ring(entries: 8, [.singleIssuer, .deferTaskRun])
        try ring.setBusyPolling(Ring.BusyPolling(duration: .milliseconds(1)))
        let buffers = BufferGroup(identifier: 0, count: 4, bytes: 64)
        try ring.register(buffers)
        try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 0, token: 1)
        #expect(try ring.submitAndWait(timeout: .milliseconds(5)) == false)
        _ = try pair.client.send([1, 2, 3])
        let seen = try ring.completion()
        #expect(seen.token == 1 && seen.result == 3)
    }
}
