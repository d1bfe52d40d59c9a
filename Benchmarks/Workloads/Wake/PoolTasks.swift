import Glibc
import LinuxDescriptors
import Meters
import SystemPackage

/// The tasks of a pool as its loops see them; borrowed from the ``PoolBoard``.
struct PoolTasks: Sendable {
    let signal: WakeSignal
    /// Written when all tasks are done.
    let finished: BorrowedDescriptor
    /// Tasks whose descriptors are open, or being opened by a producer.
    let open: SharedWord
    /// Tasks to be done.
    let remaining: SharedWord
    /// Producers that sleep for want of descriptors.
    let throttled: SharedWord
    /// Not 0 when everybody is to end.
    let over: SharedWord
    /// When the last task was done.
    let endedAt: SharedWord
    /// How often each task was done.
    let doneCounts: SharedRow
    /// When each task was handed over, and from its end on when that was.
    let handedAt: SharedRow
    /// By descriptor: the task that it belongs to in the lower half, the number that signals it in the upper one.
    let owners: SharedRow

    /// A task was done by the caller.
    @inline(__always) func finish(_ task: Int, _ meter: WorkerMeter, _ latencies: borrowing LatencyBuckets) {
        let now = monotonicNanoseconds()
        latencies.record(nanoseconds: now &- handedAt[task].relaxed)
        handedAt[task].relaxed = now
        _ = doneCounts[task].add(1)
        meter.began(at: now)
        meter.add(.operations)
        if remaining.subtract(1) == 0 { end(at: now) }
    }

    /// Tells who waits for the end that it has come.
    @inline(never) func end(at time: UInt64) {
        endedAt.value = time
        // It cannot overflow, so nothing can fail.
        try? writeSignal(finished, nil)
    }
}
