import LinuxExecutors
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Sleeps: their order, their least length, and their end.
@Suite struct SleepTests {
    @Test(arguments: Kind.available) func sleepsEndInTheirOrderAndNotTooSoon(_ kind: Kind) throws {
        try kind.with { executor in
            let order = Record<Int>()
            let tooSoon = Tally()
            let start = ContinuousClock.now
            try onExecutor(executor) {
                try await withThrowingDiscardingTaskGroup { group in
                    for number in [5, 1, 4, 2, 3] {
                        group.addTask {
                            try await executor.sleep(for: .milliseconds(40 * number))
                            if ContinuousClock.now - start < .milliseconds(40 * number) {
                                tooSoon.add()
                            }
                            order.append(number)
                        }
                    }
                }
            }
            #expect(order.all == [1, 2, 3, 4, 5])
            #expect(tooSoon.value == 0)
        }
    }

    @Test(arguments: Kind.available) func noTimeAndNegativeTimeReturn(_ kind: Kind) throws {
        try kind.with { executor in
            try onExecutor(executor) {
                for duration in [Duration.zero, .seconds(-5), .nanoseconds(1), .nanoseconds(-1)] {
                    try await executor.sleep(for: duration)
                }
            }
        }
    }

    @Test(arguments: Kind.available) func longSleepsAreCancelled(_ kind: Kind) throws {
        try kind.with { executor in
            let durations: [Duration] = [.seconds(600), .seconds(1 << 40), .seconds(Int64.max), .milliseconds(1)]
            let sleepers = durations.map { duration in
                start(on: executor) { try await executor.sleep(for: duration) }
            }
            try sleepers[3].wait()
            for sleeper in sleepers[..<3] { sleeper.cancel() }
            for sleeper in sleepers[..<3] { #expect(try sleeper.error() == .canceled) }
        }
    }

    /// Many that are cancelled in any order leave the others alone.
    @Test(arguments: Kind.available) func cancelledSleepsLeaveOthersAlone(_ kind: Kind) throws {
        try kind.with { executor in
            let ended = try onExecutor(executor) {
                let tasks = (0..<300).map { number in
                    Task { try await executor.sleep(for: .milliseconds(number % 3 == 0 ? 5 : 600_000)) }
                }
                await Task.yield()
                for (number, task) in tasks.enumerated().shuffled() where number % 3 != 0 { task.cancel() }
                var ended = 0
                for task in tasks { if (try? await task.value) != nil { ended += 1 } }
                return ended
            }
            #expect(ended == 100)
        }
    }

    /// A sleep and a receive at once: each ends by itself.
    @Test(arguments: Kind.available) func aReceiveWithALimitEnds(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let outcome = try onExecutor(executor) {
                await withTaskGroup(of: Errno?.self) { group in
                    group.addTask {
                        do {
                            var bytes = [UInt8](repeating: 0, count: 8)
                            _ = try await connection.value.receive(into: &bytes)
                            return nil
                        } catch {
                            return error as? Errno
                        }
                    }
                    group.addTask {
                        try? await executor.sleep(for: .milliseconds(5))
                        return .timedOut
                    }
                    let first = await group.next()
                    group.cancelAll()
                    let second = await group.next()
                    return [first, second]
                }
            }
            #expect(outcome == [.timedOut, .canceled])
            try client.close()
        }
    }
}
