import LinuxReadiness
import LinuxRings
import Testing

@testable import Loops
@testable import Meters

@Suite struct RingWaitTests {
    @Test func aFullCompletionQueueIsCounted() throws {
        guard case .available = RingSupport.probe() else { return print("skipped: io_uring is not available here") }
        let signal = try EventFD(count: 1)
        let meters = WorkerMeters(count: 1)
        var ring = try Ring(entries: 4, completions: 4)
        for _ in 0..<4 {
            for _ in 0..<4 { try ring.preparePoll(signal.descriptor, .readable, token: 0) }
            try ring.submit()
        }
        var taken = 0
        while taken < 16 {
            try waitForCompletions(&ring, RingWaiting(Mode.Options()), meters[0])
            while ring.nextCompletion() != nil { taken += 1 }
        }
        #expect(meters[0][.completionOverflows] > 0)
    }
}
