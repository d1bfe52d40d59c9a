/// What a team of workers has done and used up to a moment.
///
/// The time, the counts and the CPU times stand for the same moment, so they are read side by side; the context switches,
/// which take a file of each thread, come after them.
package struct WorkerSnapshot: Sendable {
    /// On the monotonic clock.
    package let time: UInt64
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

extension [ThreadAccount] {
    /// CPU time and allocations of all.
    package var time: ThreadUsage { reduce(ThreadUsage()) { $0 + $1.time } }

    /// Context switches of all.
    package var switches: ThreadUsage { reduce(ThreadUsage()) { $0 + $1.switches } }
}
