import Glibc
import LinuxDescriptors
import LinuxExecutors
import SystemPackage
import TestSupport
import Testing

/// Forks: a child has no thread of its parent's executors. Each runs in a process of its own.
@Suite struct ForkTests {
    @Test func aChildsRequestsAreRefusedOnASet() async {
        await #expect(processExitsWith: .success) { try refuseInChild(.set) }
    }

    @Test(.enabled(if: ringsAvailable, whyNoRings)) func aChildsRequestsAreRefusedOnARing() async {
        await #expect(processExitsWith: .success) { try refuseInChild(.ring) }
    }

    /// A job of a child that would have to wait for a thread that is not there ends it instead.
    @Test func aChildsTasksEndIt() async {
        await #expect(processExitsWith: .success) {
            let executor = try SetExecutor()
            let child = forkProcess()
            if child == 0 {
                close(2)
                Task(executorPreference: executor) {}
                _exit(0)
            }
            try demand(exitStatus(of: child) == -1, "the child went on")
            try demand(try onExecutor(executor) { true })
        }
    }

    /// A child that is forked in a job must not go on with its parent's loop.
    @Test(.enabled(if: ringsAvailable, whyNoRings)) func aChildCannotComeBackToTheLoop() async {
        await #expect(processExitsWith: .success) {
            let executor = try RingExecutor()
            let child = try onExecutor(executor) {
                let child = forkProcess()
                if child == 0 { close(2) }
                return child
            }
            try demand(exitStatus(of: child) == -1, "the child went on")
            try demand(try onExecutor(executor) { true })
        }
    }

    /// A child can neither end its parent's executor nor wait for an end that it would not see.
    @Test(arguments: Kind.available) func aChildCannotShutItsParentDown(_ kind: Kind) async {
        switch kind {
        case .ring: await #expect(processExitsWith: .success) { try shutDownInChild(.ring) }
        case .set: await #expect(processExitsWith: .success) { try shutDownInChild(.set) }
        }
    }
}

/// The child of a fork within a job gets an error for each request, and the parent's requests work on.
private func refuseInChild(_ kind: Kind) throws {
    let executor = try kind.make()
    let (client, connection) = try pair(executor)
    let reader = start(on: executor) {
        var bytes = [UInt8](repeating: 0, count: 8)
        return try await connection.value.receive(into: &bytes)
    }
    try settle(executor)
    let child = try onExecutor(executor) {
        let child = forkProcess()
        if child != 0 { return child }
        var bytes = [UInt8](repeating: 0, count: 8)
        var refusals = 0
        do throws(Errno) {
            _ = try await connection.value.receive(into: &bytes)
        } catch {
            if error == .staleNFSFileHandle { refusals += 1 }
        }
        do throws(Errno) {
            _ = try await connection.value.send([UInt8(1)].span.bytes)
        } catch {
            if error == .staleNFSFileHandle { refusals += 1 }
        }
        do throws(Errno) {
            try await executor.sleep(for: .seconds(1))
        } catch {
            if error == .staleNFSFileHandle { refusals += 1 }
        }
        _exit(CInt(refusals))
    }
    try demand(exitStatus(of: child) == 3, "the child was not refused")
    _ = try client.send([1, 2])
    try demand(try reader.wait() == 2, "the parent's request was spoiled")
    try demand(executor.shutdownAndWait(within: patience))
}

/// Children that shut their parent's executor down, from a thread of the test's and from a job; the executor works on.
private func shutDownInChild(_ kind: Kind) throws {
    let executor = try kind.make()
    let sleeper = start(on: executor) { try await executor.sleep(for: .seconds(600)) }
    try settle(executor)
    let child = forkProcess()
    if child == 0 {
        alarm(30)
        executor.beginShutdown()
        _exit(executor.shutdownAndWait(within: .seconds(600)) ? 1 : 0)
    }
    try demand(exitStatus(of: child) == 0, "the child waited for an end, or found one")
    let childOfJob = try onExecutor(executor) {
        let child = forkProcess()
        if child != 0 { return child }
        alarm(30)
        await executor.shutdown()
        sleeper.cancel()
        _exit(5)
    }
    try demand(exitStatus(of: childOfJob) == 5, "the child did not come back from the shutdown")
    try demand(try onExecutor(executor) { true })
    let isPending = try onExecutor(executor) {
        do throws(Errno) {
            try await executor.sleep(for: .milliseconds(1))
            return true
        } catch {
            return false
        }
    }
    try demand(isPending, "the child has shut its parent's executor down")
    sleeper.cancel()
    try demand(try sleeper.error() == .canceled)
    try demand(executor.shutdownAndWait(within: patience))
}
