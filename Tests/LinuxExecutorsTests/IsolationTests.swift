import LinuxExecutors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// An actor that has moved in, or that has not.
private protocol Echoer: Actor {}

extension Echoer {
    func echoOnce(_ connection: Shared<AsyncConnection>, _ executor: any EventExecutor) async throws -> Int {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = try await connection.value.receive(into: &bytes)
        try await executor.sleep(for: .microseconds(10))
        try await connection.value.sendAll(bytes.span.bytes.extracting(0..<count))
        return count
    }
}

private actor Resident: Echoer {
    let executor: any EventExecutor
    init(_ executor: any EventExecutor) { self.executor = executor }
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedSerialExecutor }

    /// A task that is isolated to the actor and prefers no executor.
    func begin(_ connection: Shared<AsyncConnection>, rounds: Int) -> Task<Int, any Error> {
        Task {
            var total = 0
            for _ in 0..<rounds { total += try await self.echoOnce(connection, executor) }
            return executor.isOnOwnThread ? total : -1
        }
    }
}

private actor Stranger: Echoer {}

@MainActor private func echoOnMain(
    _ connection: Shared<AsyncConnection>, _ executor: any EventExecutor
) async throws -> Int {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = try await connection.value.receive(into: &bytes)
    try await connection.value.sendAll(bytes.span.bytes.extracting(0..<count))
    return count
}

/// Operations that functions of actors call: they are done on the executor's thread, wherever the actor runs.
@Suite struct IsolationTests {
    private func exchange(_ client: Client, _ rounds: Int) throws {
        for round in 0..<rounds {
            _ = try client.send(pattern(20, from: round))
            #expect(try client.bytes() == pattern(20, from: round))
        }
    }

    @Test(arguments: Kind.available) func anActorThatHasMovedInEchoes(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let actor = Resident(executor)
            let echoing = start(on: executor) { try await actor.begin(connection, rounds: 50).value }
            try exchange(client, 50)
            #expect(try echoing.wait() == 1000)
        }
    }

    @Test(arguments: Kind.available) func anActorElsewhereEchoes(_ kind: Kind) async throws {
        let executor = try kind.make()
        let (client, connection) = try pair(executor)
        let stranger = Stranger()
        let echoing = Task {
            for _ in 0..<50 { _ = try await stranger.echoOnce(connection, executor) }
        }
        try exchange(client, 50)
        try await echoing.value
        await executor.shutdown()
    }

    /// Tasks with and without a preference meet in one actor, whose jobs run now on this thread and now on others.
    @Test(arguments: Kind.available) func anActorIsSharedByTasksOfSeveralExecutors(_ kind: Kind) async throws {
        let executor = try kind.make()
        let stranger = Stranger()
        let pairs = try (0..<4).map { _ in try pair(executor) }
        let tasks = pairs.enumerated().map { number, pair in
            let work = { @Sendable () async throws -> Int in
                var total = 0
                for _ in 0..<50 { total += try await stranger.echoOnce(pair.connection, executor) }
                return total
            }
            return number % 2 == 0 ? Task(executorPreference: executor) { try await work() } : Task { try await work() }
        }
        let clients = pairs.map { pair in TestThread { try exchange(pair.client, 50) } }
        for client in clients { try client.join() }
        for task in tasks { #expect(try await task.value == 1000) }
        await executor.shutdown()
    }

    @Test(arguments: Kind.available) func theMainActorEchoes(_ kind: Kind) async throws {
        let executor = try kind.make()
        let (client, connection) = try pair(executor)
        let thread = TestThread { try exchange(client, 20) }
        let preferring = Task(executorPreference: executor) {
            for _ in 0..<10 { _ = try await echoOnMain(connection, executor) }
        }
        try await preferring.value
        for _ in 0..<10 { _ = try await echoOnMain(connection, executor) }
        try thread.join()
        await executor.shutdown()
    }
}
