import Foundation
import LinuxExecutors
import TestSupport
import Testing

/// A thread that waits in the kernel is woken for every job that others add.
@Suite struct WakeTests {
    /// `EXECUTOR_WAKES=10000000` for the full count.
    private static let wakes = Int(ProcessInfo.processInfo.environment["EXECUTOR_WAKES"] ?? "") ?? 40_000
    private static let threads = 8

    /// Each thread adds a job and waits until it has run, so that the executor falls asleep again and again: a wake that
    /// is lost stops all of them.
    @Test(arguments: Kind.available) func noWakeIsLost(_ kind: Kind) throws {
        try kind.with { executor in
            let count = Tally()
            let each = Self.wakes / Self.threads
            let threads = (0..<Self.threads).map { _ in
                TestThread {
                    let ran = DispatchSemaphore(value: 0)
                    for _ in 0..<each {
                        Task(executorPreference: executor) {
                            count.add()
                            ran.signal()
                        }
                        let isWoken = ran.wait(timeout: .now() + .milliseconds(Int(patienceMilliseconds)))
                        guard isWoken == .success else { throw PatienceIsOver() }
                    }
                }
            }
            for thread in threads { try thread.join() }
            #expect(count.value == each * Self.threads)
        }
    }

    /// The same from tasks of another executor, which do not wait for each other: bursts.
    @Test(arguments: Kind.available) func burstsFromAnotherExecutorAreRun(_ kind: Kind) throws {
        try kind.with { executor in
            try kind.with { other in
                let count = Tally()
                for _ in 0..<50 {
                    try onExecutor(other) {
                        let tasks = (0..<100).map { _ in
                            Task(executorPreference: executor) { count.add() }
                        }
                        for task in tasks { _ = await task.value }
                    }
                }
                #expect(count.value == 5000)
            }
        }
    }

    /// Two executors pass a baton to and fro, each asleep while the other has it.
    @Test(arguments: Kind.available) func twoExecutorsWakeEachOther(_ kind: Kind) throws {
        try kind.with { executor in
            try kind.with { other in
                let rounds = try onExecutor(executor) {
                    var rounds = 0
                    for _ in 0..<2000 {
                        let isThere = await Task(executorPreference: other) { other.isOnOwnThread }.value
                        if isThere && executor.isOnOwnThread { rounds += 1 }
                    }
                    return rounds
                }
                #expect(rounds == 2000)
            }
        }
    }
}
