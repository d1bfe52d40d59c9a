import Allocations
import Foundation
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxExecutors

/// What a message costs, in counts.
@Suite struct CostTests {
    private static let messageBytes = 64
    private static let whyNoCounts: Comment = "a sanitizer's allocator does not count"

    /// Once queues and tables are large enough, echoing allocates nothing on the executor's thread.
    @Test(.enabled(if: thread_allocations() != nil, whyNoCounts), arguments: Kind.available)
    func noMessageAllocates(_ kind: Kind) throws {
        try kind.with { executor in
            let address = try onExecutor(executor) { UInt(bitPattern: thread_allocations()) }
            let count = try #require(UnsafeRawPointer(bitPattern: address))
            let (client, connection) = try pair(executor)
            let echoing = start(on: executor) { try await echo(connection.value) }
            for _ in 0..<100 { try exchange(client) }
            let before = read_allocations(count)
            for _ in 0..<500 { try exchange(client) }
            #expect(read_allocations(count) - before == 0)
            try client.finishSending()
            #expect(try echoing.wait() == 600 * Self.messageBytes)
        }
    }

    /// A cancellation, a sleep and an accept need no memory either, beside what a task takes itself.
    @Test(.enabled(if: thread_allocations() != nil, whyNoCounts), arguments: Kind.available)
    func sleepsDoNotAllocate(_ kind: Kind) throws {
        try kind.with { executor in
            let (before, after) = try onExecutor(executor) {
                let count = try #require(thread_allocations())
                for _ in 0..<50 { try await executor.sleep(for: .microseconds(1)) }
                let before = read_allocations(count)
                for _ in 0..<200 { try await executor.sleep(for: .microseconds(1)) }
                return (before, read_allocations(count))
            }
            #expect(after - before == 0)
        }
    }

    /// One enter receives and the next sends and waits: two for each message of one connection.
    @Test(.enabled(if: ringsAvailable, whyNoRings)) func twoEntersMoveAMessage() throws {
        let executor = try RingExecutor()
        let (client, connection) = try pair(executor)
        let echoing = start(on: executor) { try await echo(connection.value) }
        for _ in 0..<10 { try exchange(client) }
        let before = try onExecutor(executor) { executor.counts.systemCalls }
        for _ in 0..<300 { try exchange(client) }
        let after = try onExecutor(executor) { executor.counts.systemCalls }
        // What asks for the count wakes the thread as well.
        #expect(after - before <= 2 * 300 + 10)
        #expect(after - before >= 300)
        try client.finishSending()
        _ = try echoing.wait()
        #expect(executor.shutdownAndWait(within: patience))
    }

    /// Messages of many connections that are there at once share their enters.
    @Test(.enabled(if: ringsAvailable, whyNoRings)) func connectionsShareEnters() throws {
        let executor = try RingExecutor()
        let clients = try (0..<64).map { _ in
            let (client, connection) = try pair(executor)
            return (client, start(on: executor) { try await echo(connection.value) })
        }
        let message = pattern(Self.messageBytes)
        let before = try onExecutor(executor) { executor.counts.systemCalls }
        for _ in 0..<20 {
            // The thread is held up until all are there.
            let (begun, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let holding = start(on: executor) { holdUp(begun, mayGoOn) }
            begun.wait()
            for (client, _) in clients { _ = try client.send(message) }
            mayGoOn.signal()
            try holding.wait()
            for (client, _) in clients { #expect(try client.bytes() == message) }
        }
        let after = try onExecutor(executor) { executor.counts.systemCalls }
        #expect(Double(after - before) / (20 * 64) < 0.3)
        for (client, echoing) in clients {
            try client.finishSending()
            #expect(try echoing.wait() == 20 * Self.messageBytes)
        }
        #expect(executor.shutdownAndWait(within: patience))
    }

    /// Jobs that the thread adds itself, and those that others add while it is busy, wake nobody.
    @Test(.enabled(if: ringsAvailable, whyNoRings)) func jobsOfABusyThreadCostNoEnter() throws {
        let executor = try RingExecutor()
        let (first, last) = try onExecutor(executor) {
            let first = executor.counts.systemCalls
            for _ in 0..<500 { _ = await Task(executorPreference: executor) {}.value }
            return (first, executor.counts.systemCalls)
        }
        // Once in a thousand jobs the kernel is asked.
        #expect(last - first <= 3)
        #expect(executor.shutdownAndWait(within: patience))
    }

    /// One job in a row: what it asked for is handed over before the next runs.
    @Test(.enabled(if: ringsAvailable, whyNoRings)) func aJobCanBeHandedOverAtOnce() throws {
        let executor = try RingExecutor(jobsInARow: 1)
        let (first, last) = try onExecutor(executor) {
            let first = executor.counts.visits
            for _ in 0..<100 { await Task(executorPreference: executor) {}.value }
            return (first, executor.counts.visits)
        }
        #expect(last - first >= 100)
        #expect(executor.shutdownAndWait(within: patience))
    }

    @Test func anExecutorRunsOneJobAtLeast() async {
        await #expect(processExitsWith: .failure) { _ = try SetExecutor(jobsInARow: 0) }
    }

    private func exchange(_ client: Client) throws {
        let message = pattern(Self.messageBytes)
        _ = try client.send(message)
        let reply = try client.bytes()
        #expect(reply == message)
    }
}

private func holdUp(_ begun: DispatchSemaphore, _ mayGoOn: DispatchSemaphore) {
    begun.signal()
    mayGoOn.wait()
}
