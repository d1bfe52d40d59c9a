import CBenchExtras
import Foundation
import Glibc
import Meters
import SystemPackage

/// A thread that takes the steps of a script one at a time and can be watched while it waits in the kernel.
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
        changed.lock()
        while identifier == 0 { changed.wait() }
        changed.unlock()
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

    /// Lets the thread take a step and returns at once, unless the step before has still to end.
    func start<Outcome: Sendable>(_ body: @escaping @Sendable () throws -> Outcome) -> ScriptStep<Outcome> {
        let step = ScriptStep<Outcome>()
        changed.lock()
        while unfinished > 0 { changed.wait() }
        unfinished += 1
        next = { step.finish(Result { try body() }) }
        changed.broadcast()
        changed.unlock()
        return step
    }

    /// Takes a step and waits for its end.
    func perform<Outcome: Sendable>(_ body: @escaping @Sendable () throws -> Outcome) throws -> Outcome {
        try start(body).result()
    }

    /// What the kernel says of the thread.
    var state: ThreadState {
        changed.lock()
        defer { changed.unlock() }
        return ThreadState(thread: identifier)
    }

    /// True between the start and the end of a step.
    var isBusy: Bool {
        changed.lock()
        defer { changed.unlock() }
        return unfinished > 0
    }

    /// Waits for the end of the step under way, if any, and ends the thread.
    func end() {
        changed.lock()
        isEnding = true
        changed.broadcast()
        while !hasEnded { changed.wait() }
        changed.unlock()
    }
}

/// Starts so many threads, or none: where one is refused those before it are ended.
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

/// A step that a thread takes.
final class ScriptStep<Outcome: Sendable>: @unchecked Sendable {
    // Unchecked: `outcome` is guarded by `changed`.
    private let changed = NSCondition()
    private var outcome: Result<Outcome, any Error>?

    fileprivate func finish(_ outcome: Result<Outcome, any Error>) {
        changed.lock()
        self.outcome = outcome
        changed.broadcast()
        changed.unlock()
    }

    /// True when the step has been taken.
    var isFinished: Bool {
        changed.lock()
        defer { changed.unlock() }
        return outcome != nil
    }

    /// What came of the step; nil if it has not ended within a time.
    func outcome(within seconds: Double) -> Result<Outcome, any Error>? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while outcome == nil && changed.wait(until: deadline) {}
        return outcome
    }

    /// Waits for the end of the step, whose waits must have bounds of their own.
    func result() throws -> Outcome {
        changed.lock()
        defer { changed.unlock() }
        while true {
            if let outcome { return try outcome.get() }
            changed.wait()
        }
    }
}
