import Foundation
import LinuxExecutors
import Synchronization
import SystemPackage
import TestSupport
import Testing

private actor Counter {
    let executor: any EventExecutor
    private var count = 0
    private var strangers = 0

    init(_ executor: any EventExecutor) { self.executor = executor }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedSerialExecutor }

    func add() async {
        if !executor.isOnOwnThread { strangers += 1 }
        let before = count
        await bystander()
        if !executor.isOnOwnThread { strangers += 1 }
        // Whoever came in between is not forgotten.
        count = max(count, before) + 1
    }

    func sleepAndAdd() async throws {
        try await executor.sleep(for: .milliseconds(1))
        if !executor.isOnOwnThread { strangers += 1 }
        count += 1
    }

    nonisolated func bystander() async {}

    nonisolated func assume() -> Int { assumeIsolated { $0.count } }

    var seen: (count: Int, strangers: Int) { (count, strangers) }
}

/// Jobs run on the executor's thread, and nowhere else.
@Suite struct JobTests {
    @Test(arguments: Kind.available) func aTaskStaysOnTheThread(_ kind: Kind) throws {
        try kind.with { executor in
            let places = try onExecutor(executor) {
                var places = [executor.isOnOwnThread]
                try await executor.sleep(for: .zero)
                places.append(executor.isOnOwnThread)
                try await executor.sleep(for: .milliseconds(2))
                places.append(executor.isOnOwnThread)
                try await Task.sleep(for: .milliseconds(1))
                places.append(executor.isOnOwnThread)
                await Task.yield()
                places.append(executor.isOnOwnThread)
                return places
            }
            #expect(places == Array(repeating: true, count: 5))
            #expect(!executor.isOnOwnThread)
        }
    }

    @Test(arguments: Kind.available) func childTasksInheritTheExecutor(_ kind: Kind) throws {
        try kind.with { executor in
            let outside = try onExecutor(executor) {
                async let first = executor.isOnOwnThread
                let others = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<100 {
                        group.addTask {
                            await Task.yield()
                            return executor.isOnOwnThread
                        }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 0 : 1) }
                }
                return await first ? others : others + 1
            }
            #expect(outside == 0)
        }
    }

    @Test(arguments: Kind.available) func jobsRunInTheOrderInWhichTheyCame(_ kind: Kind) throws {
        try kind.with { executor in
            let order = Record<Int>()
            let tasks = try onExecutor(executor) {
                (0..<3000).map { number in
                    Task(executorPreference: executor) { order.append(number) }
                }
            }
            try onExecutor(executor) { for task in tasks { await task.value } }
            #expect(order.all == Array(0..<3000))
        }
    }

    @Test(arguments: Kind.available) func anActorIsIsolatedToTheThread(_ kind: Kind) throws {
        try kind.with { executor in
            let counter = Counter(executor)
            let seen = try onExecutor(executor) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<50 {
                        group.addTask { await counter.add() }
                        group.addTask { try await counter.sleepAndAdd() }
                    }
                    try await group.waitForAll()
                }
                return await counter.seen
            }
            #expect(seen.strangers == 0)
            #expect(seen.count > 50)
        }
    }

    /// A task without a preference enters an actor that has moved in, and leaves it again.
    @Test(arguments: Kind.available) func anActorCanBeCalledFromElsewhere(_ kind: Kind) async throws {
        let executor = try kind.make()
        let counter = Counter(executor)
        for _ in 0..<100 { await counter.add() }
        let seen = await counter.seen
        #expect(seen.count == 100)
        #expect(seen.strangers == 0)
        await executor.shutdown()
    }

    @Test(arguments: Kind.available) func isolationCanBeAssumedOnTheThread(_ kind: Kind) throws {
        try kind.with { executor in
            let counter = Counter(executor)
            let count = try onExecutor(executor) { counter.assume() }
            #expect(count == 0)
        }
    }

    @Test func isolationCannotBeAssumedElsewhere() async {
        await #expect(processExitsWith: .failure) {
            let counter = Counter(try SetExecutor())
            _ = counter.assume()
        }
    }

    /// Tasks that never wait do not keep others from events.
    @Test(arguments: Kind.available) func busyTasksDoNotStarveTheKernel(_ kind: Kind) throws {
        try kind.with { executor in
            let isOver = Atomic(false)
            let busy = (0..<4).map { _ in
                start(on: executor) {
                    var rounds = 0
                    while !isOver.load(ordering: .relaxed) {
                        await Task.yield()
                        rounds += 1
                    }
                    return rounds
                }
            }
            let (client, connection) = try pair(executor)
            let reader = start(on: executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                return try await connection.value.receive(into: &bytes)
            }
            try onExecutor(executor) { try await executor.sleep(for: .milliseconds(1)) }
            _ = try client.send([1, 2, 3])
            #expect(try reader.wait() == 3)
            isOver.store(true, ordering: .relaxed)
            for task in busy { #expect(try task.wait() > 0) }
        }
    }

    /// An executor can have a thread that was there before.
    @Test(arguments: Kind.available) func aThreadCanBecomeAnExecutors(_ kind: Kind) throws {
        let isOwn = try onOwnThread {
            let seen = Record<Bool>()
            let thread = pthread_self()
            func begin(_ executor: any EventExecutor) {
                Task(executorPreference: executor) {
                    seen.append(pthread_equal(pthread_self(), thread) != 0)
                    try? await executor.sleep(for: .milliseconds(1))
                    seen.append(pthread_equal(pthread_self(), thread) != 0)
                    executor.beginShutdown()
                }
            }
            switch kind {
            case .ring: try RingExecutor.runOnThisThread { begin($0) }
            case .set: try SetExecutor.runOnThisThread { begin($0) }
            }
            return seen.all
        }
        #expect(isOwn == [true, true])
    }
}
