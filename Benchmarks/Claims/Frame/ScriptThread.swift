import CBenchExtras
import Foundation
import Glibc
import Meters
import SystemPackage

/// A thread that runs the steps of a script one at a time, and can be watched while it waits in the kernel.
final class ScriptThread: @unchecked Sendable {
    // Unchecked: all state is guarded by `changed`.
    private let changed = NSCondition()
    private var next: (@Sendable () -> Void)?
    private var isEnding = false
    private var hasEnded = false
    private var identifier: pid_t = 0
    private var unfinished = 0

    /// Starts the thread, which waits for its first step.
    ///
    /// - Throws: `EAGAIN` at a limit of threads or of memory (`pthread_create(3)`).
    init(_ name: String) throws(Errno) {
        let error = startThread { [self] in
            _ = unsafe c_set_thread_name(name)
            run()
        }
        if let error { throw error }
        changed.withLock { while identifier == 0 { changed.wait() } }
    }

    private func run() {
        changed.lock()
        identifier = c_gettid()
        changed.broadcast()
        while true {
            while next == nil && !isEnding { changed.wait() }
            guard let step = next else { break }
            next = nil
            changed.unlock()
            step()
            changed.lock()
            unfinished -= 1
            changed.broadcast()
        }
        hasEnded = true
        changed.broadcast()
        changed.unlock()
    }

    /// Starts a step and returns at once, unless the previous step has still to end.
    func start<Outcome: Sendable>(_ body: @escaping @Sendable () throws -> Outcome) -> ScriptStep<Outcome> {
        let step = ScriptStep<Outcome>()
        changed.withLock {
            while unfinished > 0 { changed.wait() }
            unfinished += 1
            next = { step.finish(Result { try body() }) }
            changed.broadcast()
        }
        return step
    }

    func perform<Outcome: Sendable>(_ body: @escaping @Sendable () throws -> Outcome) throws -> Outcome {
        try start(body).result()
    }

    var state: ThreadState { ThreadState(thread: changed.withLock { identifier }) }

    /// True between the start and the end of a step.
    var isBusy: Bool { changed.withLock { unfinished > 0 } }

    /// True once the end was requested; a step without an end of its own looks at it.
    var isEndRequested: Bool { changed.withLock { isEnding } }

    func requestEnd() {
        changed.withLock {
            isEnding = true
            changed.broadcast()
        }
    }

    /// Waits for the end of the current step, if any, and ends the thread.
    func end() {
        requestEnd()
        changed.withLock { while !hasEnded { changed.wait() } }
    }
}

/// Starts `count` threads, or none: where one is refused those before it are ended.
func scriptThreads(_ name: String, count: Int) throws(Errno) -> [ScriptThread] {
    var threads: [ScriptThread] = []
    do throws(Errno) {
        for index in 0..<count { threads.append(try ScriptThread("\(name)-\(index)")) }
    } catch {
        for thread in threads { thread.end() }
        throw error
    }
    return threads
}

final class ScriptStep<Outcome: Sendable>: @unchecked Sendable {
    // Unchecked: `outcome` is guarded by `changed`.
    private let changed = NSCondition()
    private var outcome: Result<Outcome, any Error>?

    fileprivate func finish(_ outcome: Result<Outcome, any Error>) {
        changed.withLock {
            self.outcome = outcome
            changed.broadcast()
        }
    }

    var isFinished: Bool { changed.withLock { outcome != nil } }

    /// The step's outcome; nil if it does not end within a time.
    func outcome(within seconds: Double) -> Result<Outcome, any Error>? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        return changed.withLock {
            while outcome == nil && changed.wait(until: deadline) {}
            return outcome
        }
    }

    /// Waits for the end of the step, whose waits must have limits of their own.
    func result() throws -> Outcome { try outcome(within: 1e9)!.get() }
}
