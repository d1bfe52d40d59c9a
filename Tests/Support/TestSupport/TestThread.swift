import CBenchExtras
import CTestSupport
import Foundation
import Synchronization

/// A thread of its own that runs one closure.
public final class TestThread<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let kernelIdentifier = Atomic<pid_t>(0)
    private let started = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the thread.
    public init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            kernelIdentifier.store(c_gettid(), ordering: .releasing)
            started.signal()
            let result = Result { try body() }
            outcome.withLock { $0 = result }
            ended.signal()
        }
        started.wait()
    }

    /// Waits for the end of the closure, once, and a few minutes at most: one that never ends fails its test.
    public func join() throws -> Value {
        guard ended.wait(timeout: .now() + .milliseconds(5 * Int(patienceMilliseconds))) == .success else {
            throw PatienceIsOver()
        }
        guard let result = outcome.withLock({ $0 }) else { throw ThreadEndedWithoutResult() }
        return try result.get()
    }

    /// True after the closure ended.
    public var hasEnded: Bool { outcome.withLock { $0 != nil } }

    /// Returns when the thread sleeps in a system call that is not a lock's: `/proc/self/task/*/syscall`. A page that
    /// has to be fetched shows as call -1.
    public func waitUntilBlocked() throws {
        let identifier = kernelIdentifier.load(ordering: .acquiring)
        while !hasEnded {
            let text = try String(contentsOfFile: "/proc/self/task/\(identifier)/syscall", encoding: .utf8)
            if let number = Int(text.prefix { $0 != " " }), number >= 0, number != C_SYS_FUTEX { return }
            // That a thread fell asleep is no event to wait for.
            usleep(500)
        }
    }

    /// Sends a signal to this thread and no other (`tgkill(2)`); false after its end.
    public func signal(_ number: CInt) -> Bool {
        c_signal_thread(kernelIdentifier.load(ordering: .acquiring), number) == 0
    }
}

struct ThreadEndedWithoutResult: Error {}

/// Runs a closure on a thread of its own and waits for it.
public func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    try TestThread(body).join()
}
