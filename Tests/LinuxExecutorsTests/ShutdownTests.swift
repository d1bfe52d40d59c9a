import LinuxDescriptors
import LinuxExecutors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// The end of an executor, with work pending and without.
@Suite struct ShutdownTests {
    /// Every pending request ends with an error, and its task goes on.
    @Test(arguments: Kind.available) func pendingRequestsEnd(_ kind: Kind) throws {
        let executor = try kind.make()
        let (client, connection) = try pair(executor)
        let listener = try asyncListener(executor)
        let (reader, full) = try pair(executor)
        let goneOn = Tally()
        let tasks = [
            start(on: executor) {
                defer { goneOn.add() }
                var bytes = [UInt8](repeating: 0, count: 8)
                _ = try await connection.value.receive(into: &bytes)
            },
            start(on: executor) {
                defer { goneOn.add() }
                _ = try await listener.value.accept()
            },
            start(on: executor) {
                defer { goneOn.add() }
                try await executor.sleep(for: .seconds(600))
            },
            start(on: executor) {
                defer { goneOn.add() }
                while true { _ = try await full.value.send(pattern(100_000).span.bytes) }
            },
        ]
        try waitUntilReadable(reader.descriptor)
        for _ in 0..<20 { try settle(executor) }
        #expect(executor.shutdownAndWait(within: patience))
        for task in tasks { #expect(try task.error() == .canceled) }
        #expect(goneOn.value == 4)
        try client.close()
    }

    /// Requests after the end fail at once, and jobs are still run, one at a time.
    @Test(arguments: Kind.available) func lateJobsAreRun(_ kind: Kind) throws {
        let executor = try kind.make()
        let (client, connection) = try pair(executor)
        #expect(executor.shutdownAndWait(within: patience))
        for _ in 0..<20 {
            #expect(try onExecutor(executor) { executor.isOnOwnThread })
        }
        let late = start(on: executor) {
            await Task.yield()
            var bytes = [UInt8](repeating: 0, count: 8)
            return try await connection.value.receive(into: &bytes)
        }
        #expect(try late.error() == .canceled)
        #expect(executor.shutdownAndWait(within: patience))
        try client.close()
    }

    /// What was counted can be asked for after the end, too.
    @Test(arguments: Kind.available) func theCountsOutliveTheEnd(_ kind: Kind) throws {
        let executor = try kind.make()
        let before = try onExecutor(executor) {
            try await executor.sleep(for: .milliseconds(1))
            return executor.counts
        }
        #expect(before.visits > 0 && before.systemCalls > 0)
        #expect(executor.shutdownAndWait(within: patience))
        let after = try onExecutor(executor) { executor.counts }
        #expect(after.systemCalls >= before.systemCalls)
    }

    /// A task that waits for something else than the executor when that ends goes on later.
    @Test(arguments: Kind.available) func tasksThatSleepElsewhereGoOn(_ kind: Kind) throws {
        let executor = try kind.make()
        let task = start(on: executor) {
            try await Task.sleep(for: .milliseconds(30))
            return executor.isOnOwnThread
        }
        #expect(executor.shutdownAndWait(within: patience))
        #expect(try task.wait())
    }

    @Test(arguments: Kind.available) func aTaskOfTheExecutorCanShutItDown(_ kind: Kind) throws {
        let executor = try kind.make()
        let sleeper = start(on: executor) { try await executor.sleep(for: .seconds(600)) }
        let task = start(on: executor) {
            await Task.yield()
            await executor.shutdown()
            return executor.isOnOwnThread
        }
        #expect(try task.wait())
        #expect(try sleeper.error() == .canceled)
        #expect(executor.shutdownAndWait(within: patience))
    }

    @Test(arguments: Kind.available) func shuttingDownTwiceIsAllowed(_ kind: Kind) async throws {
        let executor = try kind.make()
        executor.beginShutdown()
        await executor.shutdown()
        await executor.shutdown()
        executor.beginShutdown()
    }

    /// A task that blocks the thread is not stopped, and the wait for it has a limit.
    @Test(arguments: Kind.available) func theWaitHasALimit(_ kind: Kind) throws {
        let executor = try kind.make()
        let pipe = Shared(try Pipe())
        let blocked = start(on: executor) { try pipe.value.read() }
        #expect(!executor.shutdownAndWait(within: .milliseconds(20)))
        try pipe.value.write()
        try blocked.wait()
        #expect(executor.shutdownAndWait(within: patience))
    }

    /// A thousand tasks at once.
    @Test(arguments: Kind.available) func manyPendingRequestsEnd(_ kind: Kind) throws {
        let executor = try kind.make()
        let listener = try asyncListener(executor)
        let cancelled = Tally()
        let all = start(on: executor) {
            await withDiscardingTaskGroup { group in
                for number in 0..<1000 {
                    group.addTask {
                        do throws(Errno) {
                            if number % 2 == 0 {
                                _ = try await listener.value.accept()
                            } else {
                                try await executor.sleep(for: .seconds(600))
                            }
                        } catch {
                            if error == .canceled { cancelled.add() }
                        }
                    }
                }
            }
        }
        try settle(executor)
        #expect(executor.shutdownAndWait(within: patience))
        try all.wait()
        #expect(cancelled.value == 1000)
    }

    /// Acceptors that were woken for one connection find the executor closing as they go on.
    @Test(arguments: Kind.available) func wokenAcceptorsDoNotWaitAgain(_ kind: Kind) throws {
        let executor: any EventExecutor =
            switch kind {
            case .ring: try RingExecutor(jobsInARow: 1)
            case .set: try SetExecutor(jobsInARow: 1)
            }
        let listener = try asyncListener(executor)
        let acceptors = (0..<4).map { _ in start(on: executor) { _ = try await listener.value.accept() } }
        for _ in 0..<5 { try settle(executor) }
        let client = try onExecutor(executor) {
            let client = try connect(to: listener)
            // Runs when the kernel has been asked, and before the acceptors that this has woken.
            Task(executorPreference: executor) { executor.beginShutdown() }
            return client
        }
        #expect(executor.shutdownAndWait(within: patience))
        let errors = try acceptors.map { try $0.error() }
        #expect(errors.filter { $0 == nil }.count <= 1)
        #expect(errors.allSatisfy { $0 == nil || $0 == .canceled })
        try client.close()
    }

    /// Its descriptors are closed, and those of connections with these.
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: Kind.available)
    func nothingIsLeftOpen(_ kind: Kind) throws {
        let isEmpty = try withOwnDescriptorTable {
            for _ in 0..<5 { try useOnce(kind) }
            // The executor's thread has signalled its end and holds the executor for a moment more.
            return eventually { !(3..<200).contains { isOpen(BorrowedDescriptor(rawValue: $0)) } }
        }
        #expect(isEmpty)
    }
}

/// An executor with a connection, a listener and pending requests, from beginning to end.
private func useOnce(_ kind: Kind) throws {
    let executor = try kind.make()
    let listener = try asyncListener(executor)
    let client = try connect(to: listener)
    let task = start(on: executor) {
        let connection = try await listener.value.accept()
        var bytes = [UInt8](repeating: 0, count: 8)
        _ = try await connection.receive(into: &bytes)
        _ = try await connection.receive(into: &bytes)
    }
    _ = try client.send([1])
    try settle(executor)
    guard executor.shutdownAndWait(within: patience) else { throw PatienceIsOver() }
    #expect(try task.error() == .canceled)
}
