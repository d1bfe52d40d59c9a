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
    private var lastTime: UInt64 = 0

    /// Of a thread of this package's.
    package init() {}

    /// Of a thread that the kernel made for this process, such as a ring's poller. Its memory is nobody's to count.
    package init(ofKernelThread thread: CInt) { handle = ThreadHandle(ofKernelThread: thread) }

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
            // A thread of ours cannot have ended before it closes the account; of one of the kernel's the last time stays.
            if let time = handle?.cpuNanoseconds() { lastTime = time }
            return unsafe ThreadUsage(cpuNanoseconds: lastTime, allocations: allocations?.read() ?? 0)
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
