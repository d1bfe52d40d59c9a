public import Histogram
import Meters
public import Records
import SystemPackage

/// What one run measured.
public struct Measurement: Sendable {
    /// Length of the measured window, in nanoseconds.
    public var durationNanoseconds: UInt64 = 0
    /// How the run ended.
    public var status = Status.ok
    /// Why the status is not ok.
    public var reason = ""
    /// Latencies that the clients saw.
    public var latencies: Histogram<UInt64> = LatencyRecorder().histogram
    var latencyKind = LatencyKind.fromCall
    var perWorker: [UInt64] = []
    var totals: [WorkerCount: UInt64] = [:]
    /// System calls as the kernel counted them, where it did.
    var calls: CallCounts?
    var server = ThreadUsage()
    var client = ThreadUsage()
    var starvationNanoseconds: UInt64 = 0
    var openPeak: UInt64 = 0
    /// What the clients saw fail, the warm-up's too.
    var failures = FailureTally()
    /// What the workers saw fail, the warm-up's too.
    var serverFailures = FailureTally()
    /// Operations that started in the window and failed, as the clients saw it.
    var failedInWindow: UInt64 = 0
    /// Latencies that were too long for the histogram.
    var outOfRange: UInt64 = 0
    /// Open loop: operations that were due in the window.
    var due: UInt64?
    /// Length of the window that was asked for; the measured one is a little longer on busy processors.
    var windowNanoseconds: UInt64 = 0
    /// Longest time in the window in which no operation was completed; nil if it was not watched.
    var stallNanoseconds: UInt64?
    /// What has to be known before the figures are used.
    public internal(set) var warnings: [String] = []
    var lost: UInt64 = 0
    var listenOverflows: UInt64?
    var foreignShare: Double?
    var usesRing = false
    /// The workers note when they got an operation, which the C loops do not, and there is somebody to compare with.
    var keepsClock = true
    /// Workers open connections.
    var opensConnections = true
    /// Messages carry numbers and several are in flight.
    var ordersMessages = false
    var steeringFallbacks: UInt64?
    var peakMemoryBytes: UInt64?
    var bytesPerConnection: Double?
    var lastAnswer: UInt64 = 0
    var wake = WakeResults()

    /// Adds what the client threads saw.
    ///
    /// - Throws: the first error that ended one of them.
    mutating func add(_ results: [Result<ClientResult, Errno>]) throws(Errno) {
        var recorder = LatencyRecorder()
        for result in results {
            let result = try result.get()
            recorder.add(result.latencies)
            failures.add(result.failures)
            failedInWindow += result.failedInWindow
            outOfRange += result.latencies.outOfRange
            due = due.map { $0 + result.due }
            lost += result.lost
            lastAnswer = max(lastAnswer, result.lastAnswer)
        }
        latencies = recorder.histogram
    }

    /// Finds the longest pause of all clients.
    mutating func notePause(of results: [Result<ClientResult, Errno>], from start: UInt64, to end: UInt64) {
        let timelines = results.compactMap { try? $0.get().timeline }.filter(\.hasBegun)
        guard !timelines.isEmpty else { return }
        stallNanoseconds = CompletionTimeline.longestPause(of: timelines, from: start, to: end)
    }

    /// The same where one operation is under way at a time.
    ///
    /// - Parameter pause: from the last of them to the window's end.
    mutating func noteLongestRoundTrip(pauseAtEnd pause: UInt64) {
        if status == .ok { stallNanoseconds = max(latencies.maxRecorded, pause) }
    }

    /// Takes the memory that connections cost, where there are enough of them to stand out from the noise.
    mutating func noteMemory(from before: MemoryUse, to after: MemoryUse, connections: Int) {
        guard connections >= 256 else { return }
        let grown = Double(after.residentBytes + after.slabBytes) - Double(before.residentBytes + before.slabBytes)
        bytesPerConnection = grown / Double(connections)
    }

    /// Takes what the workers note beside their counts.
    mutating func noteServer(_ meters: WorkerMeters, windowEnd: UInt64) {
        for index in 0..<meters.workers {
            starvationNanoseconds = max(starvationNanoseconds, meters.starvation(of: index, windowEnd: windowEnd))
        }
        for index in 0..<meters.count { openPeak += meters[index][.openPeak] }
    }

    /// Takes how the wait for the end of the run ended.
    mutating func note(_ pause: Interruption.Pause) {
        if pause == .interrupted {
            status = .partial
            reason = "interrupted"
            stallNanoseconds = nil
        }
        // What was abandoned on request is not lost.
        if pause != .over { lost = 0 }
    }

    /// Writes the results into a row.
    public func fill(_ record: inout RunRecord) {
        record.status = status
        record.reason = reason
        guard durationNanoseconds > 0 else { return }
        let operations = perWorker.reduce(0, +)
        let seconds = Double(durationNanoseconds) / 1e9
        func perOperation(_ value: UInt64) -> Double? {
            operations == 0 ? nil : Double(value) / Double(operations)
        }
        record.durationS = seconds
        record.operations = operations
        record.errors = failures.total + outOfRange + totals[.errors, default: 0]
        record.offeredOpsPerS = offeredPerSecond
        record.saturated = isSaturated.map { $0 ? "yes" : "no" } ?? ""
        record.stallMaxNs = stallNanoseconds
        for warning in warnings { record.addWarning(warning) }
        record.throughputOpsPerS = Double(operations) / seconds
        record.setLatency(LatencySummary(latencies), kind: latencyKind)
        record.wakeupsPerOp = perOperation(totals[.wakeups, default: 0])
        record.spuriousWakeupsPerOp = perOperation(totals[.spuriousWakeups, default: 0])
        record.emptyCallsPerOp = perOperation(totals[.emptyCalls, default: 0])
        record.syscallsPerOp = perOperation(totals[.systemCalls, default: 0])
        record.voluntarySwitchesPerOp = perOperation(server.voluntarySwitches)
        record.involuntarySwitchesPerOp = perOperation(server.involuntarySwitches)
        record.serverCpuNsPerOp = perOperation(server.cpuNanoseconds)
        record.clientCpuNsPerOp = perOperation(client.cpuNanoseconds)
        record.fairnessJain = jainIndex(perWorker)
        record.perWorkerOps = perWorker
        record.starvationMaxNs = keepsClock ? starvationNanoseconds : nil
        record.openPeak = keepsClock && opensConnections ? openPeak : nil
        record.outOfOrderPerOp = ordersMessages ? perOperation(totals[.outOfOrder, default: 0]) : nil
        record.allocationsPerOp = AllocationCount.isCounted ? perOperation(server.allocations) : nil
        record.clientAllocationsPerOp = AllocationCount.isCounted ? perOperation(client.allocations) : nil
        record.shortSends = totals[.shortSends]
        record.steeringFallbacks = steeringFallbacks
        record.peakMemoryBytes = peakMemoryBytes
        record.bytesPerConnection = bytesPerConnection
        if usesRing {
            record.sqesPerOp = perOperation(totals[.submissions, default: 0])
            record.cqesPerOp = perOperation(totals[.completions, default: 0])
            record.rearmsPerOp = perOperation(totals[.rearms, default: 0])
            record.buffersExhausted = totals[.buffersExhausted]
            record.completionOverflows = totals[.completionOverflows]
        }
        record.lost = lost
        record.listenOverflows = listenOverflows
        record.foreignCpu = foreignShare
        wake.fill(&record)
    }
}

/// Everything that is read at either end of the measured window.
///
/// The time, the counts and the CPU times stand for the same moment, so they are read side by side; what takes files,
/// and the longer the more threads there are, comes after them.
struct Snapshot {
    let time: UInt64
    /// By worker.
    let operations: [UInt64]
    /// Of all threads, dispatchers too.
    let totals: [WorkerCount: UInt64]
    let calls: CallCounts?
    let server: ThreadUsage
    let client: ThreadUsage
    let kernel: KernelCounters

    private static let growing: [WorkerCount] = [
        .operations, .wakeups, .spuriousWakeups, .emptyCalls, .systemCalls, .submissions, .completions, .rearms,
        .errors, .outOfOrder, .chunks, .shortSends, .buffersExhausted, .completionOverflows, .shortages,
    ]

    init(_ meters: WorkerMeters, server: [ThreadAccount], client: [ThreadAccount]) {
        func total(_ accounts: [ThreadAccount], _ part: KeyPath<ThreadAccount, ThreadUsage>) -> ThreadUsage {
            accounts.reduce(ThreadUsage()) { $0 + $1[keyPath: part] }
        }
        time = monotonicNanoseconds()
        (operations, calls) = meters.operationsAndCalls()
        let sums = Self.growing.map { count in (0..<meters.count).reduce(0) { $0 + meters[$1][count] } }
        let serverTime = total(server, \.time)
        let clientTime = total(client, \.time)
        totals = Dictionary(uniqueKeysWithValues: zip(Self.growing, sums))
        kernel = .read()
        self.server = serverTime + total(server, \.switches)
        self.client = clientTime + total(client, \.switches)
    }

    /// Counts the time between two snapshots into a measurement.
    static func difference(from start: Snapshot, to end: Snapshot, into measurement: inout Measurement) {
        measurement.durationNanoseconds = end.time - start.time
        measurement.perWorker = zip(start.operations, end.operations).map { $1 - $0 }
        measurement.totals = end.totals.merging(start.totals) { $0 - $1 }
        if let first = start.calls, let last = end.calls { measurement.calls = last - first }
        measurement.server = end.server - start.server
        measurement.client = end.client - start.client
        measurement.foreignShare = KernelCounters.foreignShare(
            from: start.kernel, to: end.kernel, seconds: Double(end.time - start.time) / 1e9)
    }
}
