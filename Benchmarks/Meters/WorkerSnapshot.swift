/// What a team of workers has done and used up to a moment.
///
/// The time, the counts and the CPU times stand for the same moment, so they are read side by side; the context switches,
/// which take a file of each thread, come after them.
package struct WorkerSnapshot: Sendable, Codable {
    /// On the monotonic clock.
    package private(set) var time: UInt64
    /// Operations of each worker; empty where the server does not tell.
    package let operations: [UInt64]
    /// The counts of all threads, dispatchers included; empty where the server does not tell.
    package let totals: [WorkerCount: UInt64]
    /// System calls as the kernel counted them, where it did.
    package let calls: CallCounts?
    /// What else the kernel counted of a server that is seen from outside, where it did.
    package let activity: ServerActivity?
    /// What the threads used, those of the kernel that poll for them included.
    package let usage: ThreadUsage
    /// CPU time of the threads of the kernel that poll for them; nil if there are none.
    package let pollerNanoseconds: UInt64?
    /// What is seen of a server's processes from outside; nil for threads of this process, and of a server whose
    /// processes are not known.
    package let processes: ProcessUsage?
    /// False if the operations are the clients' to count.
    package let tellsOperations: Bool

    private static let growing: [WorkerCount] = [
        .operations, .wakeups, .spuriousWakeups, .emptyCalls, .systemCalls, .submissions, .completions, .rearms,
        .errors, .outOfOrder, .chunks, .shortSends, .buffersExhausted, .completionOverflows, .shortages,
        .notifications, .copiedNotifications, .receives, .receivedBytes,
    ]

    /// Reads the counters, and then what the threads use.
    package init(_ meters: WorkerMeters, _ threads: [ThreadAccount], pollers: [ThreadAccount] = []) {
        time = monotonicNanoseconds()
        (operations, calls) = meters.operationsAndCalls()
        let sums = Self.growing.map { count in (0..<meters.count).reduce(0) { $0 + meters[$1][count] } }
        let pollerTime = pollers.time
        let times = threads.time + pollerTime
        totals = Dictionary(uniqueKeysWithValues: zip(Self.growing, sums))
        pollerNanoseconds = pollers.isEmpty ? nil : pollerTime.cpuNanoseconds
        usage = times + threads.switches + pollers.switches
        processes = nil
        activity = nil
        tellsOperations = true
    }

    /// What is seen of processes whose loops tell nothing; nil if nothing is.
    package init(
        time: UInt64, calls: CallCounts? = nil, activity: ServerActivity? = nil, _ processes: ProcessUsage? = nil
    ) {
        self.time = time
        operations = []
        totals = [:]
        self.calls = calls
        self.activity = activity
        usage = ThreadUsage(
            cpuNanoseconds: processes?.cpuNanoseconds ?? 0, voluntarySwitches: processes?.voluntarySwitches ?? 0,
            involuntarySwitches: processes?.involuntarySwitches ?? 0)
        self.processes = processes
        pollerNanoseconds = nil
        tellsOperations = false
    }
}

extension WorkerSnapshot {
    /// The same with the time of another clock, which is `offset` nanoseconds behind the one that it was read from.
    package func moved(by offset: Int64) -> WorkerSnapshot {
        var moved = self
        moved.time = time &- UInt64(bitPattern: offset)
        return moved
    }

    /// Whether it can be what it says, after an earlier reading of the same threads: what only grows has grown, and sums
    /// fit. Of what comes from another process, nothing else keeps a difference from being less than nothing.
    package func isSound(after earlier: WorkerSnapshot?) -> Bool {
        // A message has room for a million of them, so that no sum is more than a machine word.
        let counts = operations + (calls?.byNumber ?? []) + totals.values
        guard counts.allSatisfy({ $0 < 1 << 43 }), [0, CallCounts.places].contains(calls?.byNumber.count ?? 0) else {
            return false
        }
        guard let earlier else { return true }
        let hasGrown = earlier.totals.allSatisfy { $0.value <= totals[$0.key] ?? 0 }
        return hasGrown && time >= earlier.time && operations.count == earlier.operations.count
            && zip(earlier.operations, operations).allSatisfy { $0 <= $1 }
            && earlier.totals.count == totals.count && tellsOperations == earlier.tellsOperations
            && pollerNanoseconds ?? 0 >= earlier.pollerNanoseconds ?? 0
            && activity?.wakeups ?? 0 >= earlier.activity?.wakeups ?? 0
    }
}

extension [ThreadAccount] {
    /// CPU time and allocations of all.
    package var time: ThreadUsage { reduce(ThreadUsage()) { $0 + $1.time } }

    /// Context switches of all.
    package var switches: ThreadUsage { reduce(ThreadUsage()) { $0 + $1.switches } }
}
