import Foundation
import Records
import Testing

@testable import Claims
@testable import Load
@testable import Loops
import Meters
@testable import Runs
@testable import bench

/// Ctrl-C after a run, while its calls are counted.
@Suite struct InterruptedCountTests {
    @Test func theTimedRunStaysWhole() throws {
        let rows = Locked<[RunRecord]>([])
        let done = DispatchSemaphore(value: 0)
        // A thread of its own, so that the signal stays with it.
        let thread = Thread {
            defer { done.signal() }
            guard let interruption = try? Interruption(), let mode = Mode.named("lt") else { return }
            pthread_kill(pthread_self(), SIGINT)
            var record = RunRecord()
            (record.runId, record.workload, record.mode) = ("1", "accept", "epoll-lt")
            record.status = .ok
            record.syscallsPerOp = 3
            record.throughputOpsPerS = 1000
            let calls = KernelCounting(wanted: true).count(RunPlan(mode: mode), into: &record, interruption)
            if calls.isEmpty { rows.withLock { $0.append(record) } }
        }
        thread.start()
        #expect(done.wait(timeout: .now() + 60) == .success)
        let row = try #require(rows.withLock { $0 }.first)
        #expect(row.status == .ok && row.reason.isEmpty && row.syscallsPerOp == 3 && row.syscallsSource == "loop")
        guard KernelCounting(wanted: true).warning?.contains("by the loops") != true else {
            return print("skipped: the kernel counts for nobody here")
        }
        #expect(row.warnings == "interrupted before its calls were counted")
    }
}
