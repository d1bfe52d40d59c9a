import Foundation

/// What one thread has used, for others to ask while it runs and afterwards.
package final class ThreadAccount: @unchecked Sendable {
    // Unchecked: all state is guarded by `lock`.
    private let lock = NSLock()
    private var handle: ThreadHandle?
    private var allocations: AllocationCount?
    private var final: ThreadUsage?
    /// The switches last read, for when their file cannot be opened: no descriptor may be free.
    private var lastSwitches = ThreadUsage()

    /// Begins with what the calling thread uses.
    func open() {
        lock.withLock {
            handle = .current()
            allocations = .ofThisThread()
        }
    }

    /// The thread, once it has begun.
    package var thread: ThreadHandle? { lock.withLock { handle } }

    /// Keeps what the calling thread has used: the kernel forgets a thread's numbers with the thread.
    func close() {
        lock.withLock {
            guard let allocations else { return }
            var usage = ThreadUsage.ofThisThread()
            unsafe usage.allocations = allocations.read()
            final = usage
        }
    }

    /// CPU time and allocations so far; quick enough to be read of a thousand threads at one moment.
    var time: ThreadUsage {
        lock.withLock {
            if let final {
                return ThreadUsage(cpuNanoseconds: final.cpuNanoseconds, allocations: final.allocations)
            }
            // The thread cannot have ended before it closes the account.
            guard let time = handle?.cpuNanoseconds(), let allocations else { return ThreadUsage() }
            return unsafe ThreadUsage(cpuNanoseconds: time, allocations: allocations.read())
        }
    }

    /// Context switches so far, which take a file of each thread.
    var switches: ThreadUsage {
        lock.withLock {
            if let final {
                return ThreadUsage(
                    voluntarySwitches: final.voluntarySwitches, involuntarySwitches: final.involuntarySwitches)
            }
            if let switches = handle?.switches() { lastSwitches = switches }
            return lastSwitches
        }
    }
}
