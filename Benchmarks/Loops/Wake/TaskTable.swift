package import LinuxDescriptors
import LinuxReadiness
import Meters
package import SystemPackage

/// The tasks of a pool that share a descriptor table: which descriptor each has, what is done, what is left.
///
/// A task is a number. Each is counted when it is done, so that lost ones and those done twice can be told at the end.
package final class TaskTable: Sendable {
    let count: Int
    package let tasks: PoolTasks
    package let throttle: DescriptorThrottle
    private let finished: EventFD
    private let counters = SharedWords(count: 3)
    /// What the rows of ``tasks`` lie in.
    private let memory: [SharedWords]

    /// Allocates all memory that the pool needs.
    ///
    /// - Parameter descriptors: how many descriptors the table can hold; 0 if tasks have none.
    package init(count: Int, producers: Int, _ signal: WakeSignal, descriptors: Int) throws(Errno) {
        self.count = count
        finished = try EventFD()
        throttle = try DescriptorThrottle(producers: producers, over: counters[1])
        memory = [count, count, descriptors].map { SharedWords(count: $0, spacing: 1) }
        tasks = PoolTasks(
            signal: signal, finished: finished.descriptor, remaining: counters[0], over: counters[1],
            endedAt: counters[2], doneCounts: memory[0].row, handedAt: memory[1].row, owners: memory[2].row)
        tasks.remaining.value = UInt64(count)
    }

    package func share(of producer: Int, among producers: Int) -> Range<Int> {
        count * producer / producers..<count * (producer + 1) / producers
    }

    /// Tells when each task that was done was done; to be called when no thread works any more.
    package func forEachEnd(_ body: (UInt64) -> Void) {
        for task in 0..<count where tasks.doneCounts[task].relaxed > 0 { body(tasks.handedAt[task].relaxed) }
    }

    /// Tasks that were not done, and that were done more than once; to be called when no thread works any more.
    package func mistakes() -> (lost: UInt64, doneTwice: UInt64) {
        var mistakes = (lost: UInt64(0), doneTwice: UInt64(0))
        for task in 0..<count {
            let done = tasks.doneCounts[task].relaxed
            if done == 0 { mistakes.lost += 1 }
            if done > 1 { mistakes.doneTwice += 1 }
        }
        return mistakes
    }
}

/// The tasks of a pool as its loops see them; borrowed from the ``TaskTable``.
package struct PoolTasks: Sendable {
    let signal: WakeSignal
    /// Readable when all tasks are done, or a thread failed.
    package let finished: BorrowedDescriptor
    /// Tasks to be done.
    let remaining: SharedWord
    /// Not 0 when all threads are to end.
    package let over: SharedWord
    /// When the last task was done or a thread failed; 0 until then.
    package let endedAt: SharedWord
    /// How often each task was done.
    let doneCounts: SharedRow
    /// When each task was handed over, and once it is done when that was.
    let handedAt: SharedRow
    /// By descriptor: its task in the lower half, the descriptor that signals it in the upper one.
    let owners: SharedRow

    /// Notes that the caller has done a task.
    @inline(__always) func finish(_ task: Int, _ meter: WorkerMeter, _ latencies: borrowing LatencyBuckets) {
        let now = monotonicNanoseconds()
        latencies.record(nanoseconds: now &- handedAt[task].relaxed)
        handedAt[task].relaxed = now
        _ = doneCounts[task].add(1)
        meter.began(at: now)
        meter.add(.operations)
        if remaining.subtract(1) == 0 { end(at: now) }
    }

    /// Signals completion.
    @inline(never) package func end(at time: UInt64) {
        endedAt.value = time
        // The counter cannot overflow, so nothing can fail.
        try? writeSignal(finished, nil)
    }
}
