import CTestSupport
import Glibc
import LinuxExecutors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// Where io_uring is missing, a ring's executor says so and a set's works.
@Suite struct OldKernelTests {
    @Test(arguments: [ENOSYS, EPERM]) func anExecutorWithoutARingIsRefused(_ error: CInt) throws {
        let (refusal, answer) = try onOwnThread {
            try #require(c_forbid_system_call(C_SYS_IO_URING_SETUP, error) == 0)
            var refusal: Errno?
            // Its thread inherits what is forbidden here.
            do throws(Errno) { _ = try RingExecutor() } catch { refusal = error }
            let executor = try SetExecutor()
            let answer = try onExecutor(executor) {
                try await executor.sleep(for: .milliseconds(1))
                return 42
            }
            #expect(executor.shutdownAndWait(within: patience))
            return (refusal, answer)
        }
        #expect(refusal == Errno(rawValue: error))
        #expect(answer == 42)
    }

    @Test(.enabled(if: ringsAvailable, whyNoRings)) func sizesThatNoKernelTakesAreRefused() {
        #expect(failure { () throws(Errno) in _ = try RingExecutor(entries: 0) } == .invalidArgument)
        #expect(failure { () throws(Errno) in _ = try RingExecutor(entries: 1 << 30) } == .invalidArgument)
    }

    /// A queue of one entry and room for two completions: everything is handed over one by one, and nothing is lost.
    @Test(.enabled(if: ringsAvailable, whyNoRings)) func theSmallestRingWorks() throws {
        let executor = try RingExecutor(entries: 1, completions: 2)
        let listener = try asyncListener(executor)
        let server = start(on: executor) {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<30 {
                    let connection = Shared(try await listener.value.accept())
                    group.addTask { try await echo(connection.value) }
                }
                return try await group.reduce(0, +)
            }
        }
        let clients = try (0..<30).map { _ in try connect(to: listener) }
        for round in 0..<5 {
            for client in clients { _ = try client.send(pattern(10, from: round)) }
            for client in clients { #expect(try client.bytes() == pattern(10, from: round)) }
        }
        for client in clients { try client.finishSending() }
        #expect(try server.wait() == 1500)
        #expect(executor.shutdownAndWait(within: patience))
    }
}

private func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
