public import Synchronization

/// What one worker counts. The raw value is the place in the worker's block, which the C loops write too:
/// `Benchmarks/Reference/include/reference.h` has the first of them.
@usableFromInline @frozen package enum WorkerCount: Int, CaseIterable, Sendable {
    /// Operations completed.
    case operations
    /// Returns from the blocking wait with at least one event.
    case wakeups
    /// Wakeups from which the worker got no operation at all.
    case spuriousWakeups
    /// Calls that returned `EAGAIN`.
    case emptyCalls
    /// System calls of the loop.
    case systemCalls
    /// io_uring submissions handed to the kernel.
    case submissions
    /// io_uring completions taken.
    case completions
    /// Multishot requests armed again.
    case rearms
    /// Errors of single operations that did not end the run.
    case errors
    /// Chunks of a connection's stream that were handled after a later chunk.
    case outOfOrder
    /// Chunks of a connection's stream that were handled.
    case chunks
    /// Sends that the kernel took only in part.
    case shortSends
    /// Receives that found no free buffer (`ENOBUFS`).
    case buffersExhausted
    /// Times the completion queue was full.
    case completionOverflows
    /// What the worker's ring has counted of `io_uring_enter(2)`, the part of ``systemCalls`` that is accounted for.
    case ringEnters
    /// Connections open now.
    case open
    /// Most connections open at once.
    case openPeak
    /// When the worker last got or finished an operation, on the monotonic clock; `UInt64.max` while busy with one.
    case waitingSince
    /// The longest time without an operation while another worker had one, in nanoseconds.
    case starvation
    /// Start of the measured window; `UInt64.max` until it is known.
    case windowStart
    /// End of the measured window.
    case windowEnd
    /// 1 when the worker is to end, and a service that lasts is not to be waited for.
    case stopped
    /// Pauses of an accept that found no descriptor or no memory.
    case shortages
    /// Those of them since the worker last completed an operation.
    case shortagesInARow
    /// ``operations`` at the last shortage.
    case operationsAtShortage
    /// Notifications that the memory of a zero-copy send is free again.
    case notifications
    /// Those of them that say that the kernel copied after all.
    case copiedNotifications
    /// Receives that brought something: completions of a ring, and of datagrams calls too.
    case receives
    /// Bytes that they brought.
    case receivedBytes
}

/// The counters of a team of workers: one block of cache lines for each, so that counting never shares a line.
///
/// Only the worker writes its block, with relaxed atomic stores; any thread may read at any time. That costs the loop a
/// plain load, add and store, and lets the harness cut the measured window exactly without telling the workers.
@safe package final class WorkerMeters: Sendable {
    /// Counters in a block: four cache lines, a multiple of the two that the hardware fetches together.
    static let stride = 32

    /// How many threads count.
    package let count: Int
    /// How many of them do operations; the others, which come last, only hand them out.
    package let workers: Int
    /// Counts the threads' system calls in the kernel; nil where they are not counted.
    package let calls: CallCounter?
    // The compiler takes no pointer for Sendable: all access through this one is atomic, and it is freed with the last
    // reference to the team.
    nonisolated(unsafe) private let blocks: UnsafeMutablePointer<Atomic<UInt64>>

    /// Allocates zeroed counters for workers, and for dispatchers after them.
    package init(count workers: Int, dispatchers: Int = 0, calls: CallCounter? = nil) {
        self.calls = calls
        self.workers = workers
        count = workers + dispatchers
        let bytes = count * Self.stride * MemoryLayout<UInt64>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 128)
        unsafe raw.initializeMemory(as: UInt64.self, repeating: 0, count: count * Self.stride)
        unsafe blocks = raw.assumingMemoryBound(to: Atomic<UInt64>.self)
        for index in 0..<count { self[index].set(.windowStart, .max) }
    }

    deinit {
        unsafe UnsafeMutableRawPointer(blocks).deallocate()
    }

    /// The meter of one worker, valid as long as the team.
    package subscript(index: Int) -> WorkerMeter {
        precondition(index >= 0 && index < count, "no such worker")
        return unsafe WorkerMeter(block: blocks + index * Self.stride, team: blocks, index: index, count: count)
    }

    /// Tells all workers when the measured window begins and ends, on the monotonic clock.
    package func setWindow(start: UInt64, end: UInt64) {
        for index in 0..<count {
            self[index].set(.windowEnd, end)
            self[index].set(.windowStart, start)
        }
    }

    /// Tells all workers that the run is over.
    package func stop() {
        for index in 0..<count { self[index].set(.stopped, 1) }
    }

    /// The longest starvation of a worker when the window ended at `end`, the time up to the end included.
    package func starvation(windowEnd end: UInt64) -> UInt64 {
        (0..<workers).map { starvation(of: $0, windowEnd: end) }.max() ?? 0
    }

    /// The same of one worker.
    func starvation(of index: Int, windowEnd end: UInt64) -> UInt64 { self[index].starvation(until: end) }
}

/// The counters of one worker, as the worker's hot loop uses them.
@usableFromInline @frozen @safe package struct WorkerMeter: Sendable {
    // The compiler takes no pointer for Sendable: all access through these is atomic, and the team outlives its meters.
    @usableFromInline nonisolated(unsafe) let block: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline nonisolated(unsafe) let team: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let index: Int
    @usableFromInline let teamCount: Int

    init(
        block: UnsafeMutablePointer<Atomic<UInt64>>, team: UnsafeMutablePointer<Atomic<UInt64>>, index: Int, count: Int
    ) {
        unsafe self.block = unsafe block
        unsafe self.team = unsafe team
        self.index = index
        teamCount = count
    }

    /// The block as the C loops take it.
    @unsafe package var address: UnsafeMutablePointer<UInt64> {
        unsafe UnsafeMutableRawPointer(block).assumingMemoryBound(to: UInt64.self)
    }

    /// Reads a counter; from any thread.
    @inlinable @inline(__always) package subscript(count: WorkerCount) -> UInt64 {
        unsafe block[count.rawValue].load(ordering: .relaxed)
    }

    /// Writes a counter; only the worker itself does.
    @inlinable @inline(__always) package func set(_ count: WorkerCount, _ value: UInt64) {
        unsafe block[count.rawValue].store(value, ordering: .relaxed)
    }

    /// Adds to a counter; only the worker itself does.
    @inlinable @inline(__always) package func add(_ count: WorkerCount, _ amount: UInt64 = 1) {
        set(count, self[count] &+ amount)
    }

    /// So many completions of receives brought so many bytes.
    @inlinable @inline(__always) package func received(_ completions: Int, bytes: Int) {
        add(.receives, UInt64(completions))
        add(.receivedBytes, UInt64(bytes))
    }

    /// A connection was opened.
    @inlinable @inline(__always) package func opened() {
        noteOpen(self[.open] &+ 1)
    }

    /// A connection was closed.
    @inlinable @inline(__always) package func closed() {
        set(.open, self[.open] &- 1)
    }

    /// So many connections are open now.
    @inlinable @inline(__always) package func noteOpen(_ count: UInt64) {
        set(.open, count)
        if count > self[.openPeak] { set(.openPeak, count) }
    }

    /// The worker got an operation: the time it waited for it ends now.
    @inlinable @inline(__always) package func began() {
        began(at: monotonicNanoseconds())
    }

    /// The same where the time is known.
    @inlinable @inline(__always) package func began(at now: UInt64) {
        noteWait(until: now)
        set(.waitingSince, now)
    }

    /// The worker is busy with its operation and does not wait until it says so.
    @inlinable @inline(__always) package func startedServing() {
        set(.waitingSince, .max)
    }

    /// The worker is free again after it was busy with an operation.
    @inlinable @inline(__always) package func resumedWaiting() {
        set(.waitingSince, monotonicNanoseconds())
    }

    @inlinable @inline(__always) func noteWait(until now: UInt64) {
        // A worker alone cannot be starved.
        guard teamCount > 1 else { return }
        let start = max(self[.waitingSince], self[.windowStart])
        let end = min(now, self[.windowEnd])
        if end > start && end - start > self[.starvation] { noteStarvation(from: start, to: end) }
    }

    /// The longest starvation noted, or the wait that lasts at `now`; from any thread, since it writes nothing.
    func starvation(until now: UInt64) -> UInt64 {
        let noted = self[.starvation]
        let start = max(self[.waitingSince], self[.windowStart])
        let end = min(now, self[.windowEnd])
        guard teamCount > 1, end > start, end - start > noted, isServedElsewhere(after: start) else { return noted }
        return end - start
    }

    /// A longer wait than any before counts if another worker got an operation in it.
    @usableFromInline @inline(never) func noteStarvation(from start: UInt64, to end: UInt64) {
        if isServedElsewhere(after: start) { set(.starvation, end - start) }
    }

    private func isServedElsewhere(after start: UInt64) -> Bool {
        let last = WorkerCount.waitingSince.rawValue
        return (0..<teamCount).contains { other in
            let served = unsafe team[other * WorkerMeters.stride + last].load(ordering: .relaxed)
            return other != index && served > start
        }
    }
}
