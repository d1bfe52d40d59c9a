import LinuxDescriptors
import LinuxReadiness
import Meters
import Synchronization
import SystemPackage

/// The times of a run, on the monotonic clock, that server and client agree on before it begins.
struct RunWindow: Sendable {
    /// When the load starts.
    let loadStart: UInt64
    /// When measuring starts.
    let start: UInt64
    /// When measuring ends.
    let end: UInt64
    /// When no operation starts any more: the load outlasts the reading of the counters at ``end``.
    let loadEnd: UInt64
    /// When an operation without an answer is given up.
    let deadline: UInt64

    /// Time for what was started in the window to be answered.
    static let graceNanoseconds: UInt64 = 5_000_000_000

    /// Time for whoever reads the counters to be woken on busy processors.
    static let tailNanoseconds: UInt64 = 20_000_000

    /// A window in which nothing is measured.
    static let never = RunWindow(loadStart: 0, start: .max, end: .max, deadline: .max)

    /// - Parameter loadEnd: nil for the end of the window.
    init(loadStart: UInt64, start: UInt64, end: UInt64, loadEnd: UInt64? = nil, deadline: UInt64) {
        self.loadStart = loadStart
        self.start = start
        self.end = end
        self.loadEnd = loadEnd ?? end
        self.deadline = deadline
    }

    @inline(__always) func measures(_ time: UInt64) -> Bool { time >= start && time < end }
}

/// What one client thread saw.
struct ClientResult: Sendable {
    /// Latencies of the operations that started in the window.
    var latencies = LatencyRecorder()
    /// Operations that failed, the warm-up's too.
    var failures = FailureTally()
    /// Operations that started in the window and failed.
    var failedInWindow: UInt64 = 0
    /// Operations without an answer at the deadline, and scheduled ones that could not start.
    var lost: UInt64 = 0
    /// When the last operation was answered.
    var lastAnswer: UInt64 = 0
    /// Open loop: operations that were due in the window.
    var due: UInt64 = 0
    /// When operations were completed.
    var timeline = CompletionTimeline()

    /// Counts an operation that failed.
    @inline(never) mutating func fail(_ cause: FailureTally.Cause, isMeasured: Bool) {
        failures.note(cause)
        if isMeasured { failedInWindow += 1 }
    }
}

/// Tells client threads to give up at once.
final class Abandonment: Sendable {
    private let flag = Atomic(false)
    private let action = Locked<(@Sendable () -> Void)?>(nil)

    var isRequested: Bool { flag.load(ordering: .relaxed) }

    func request() {
        flag.store(true, ordering: .relaxed)
        action.withLock { $0 }?()
    }

    /// Sets what wakes threads that would not look at the flag.
    func onRequest(_ wake: @escaping @Sendable () -> Void) {
        action.withLock { $0 = wake }
    }
}

/// The window of a drain, known only when everything is queued.
final class DrainClock: Sendable {
    private let startTime = Atomic<UInt64>(0)

    /// The window starts now and is open until the deadline.
    func start() {
        startTime.store(monotonicNanoseconds(), ordering: .releasing)
    }

    var window: RunWindow {
        let start = startTime.load(ordering: .acquiring)
        let deadline = start + 6 * RunWindow.graceNanoseconds
        return RunWindow(loadStart: start, start: start, end: deadline, deadline: deadline)
    }
}

/// What the threads of a drain share.
final class DrainQueue: Sendable {
    /// Passed when everything is queued.
    let gate = StartGate()
    let clock = DrainClock()
    let abandonment = Abandonment()
}

/// Readable when the last of so many threads has arrived.
final class CountedEnd: Sendable {
    private let left: Atomic<Int>
    private let signal: EventFD

    init(of count: Int) throws(Errno) {
        left = Atomic(count)
        signal = try EventFD()
    }

    /// Borrowed.
    var descriptor: BorrowedDescriptor { signal.descriptor }

    func arrive() {
        // Adding one to an eventfd of 0 cannot fail.
        if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { _ = try? signal.add() }
    }
}
