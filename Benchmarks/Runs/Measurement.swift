package import Histogram
package import Load
package import Meters
package import Records
import Servers
import SystemPackage

/// What one run measured.
package struct Measurement: Sendable {
    /// Length of the measured window, in nanoseconds.
    package var durationNanoseconds: UInt64 = 0
    /// How the run ended.
    package var status = Status.ok
    /// Why the status is not ok.
    package var reason = ""
    /// Latencies that the clients saw.
    package var latencies: Histogram<UInt64> = LatencyRecorder().histogram
    /// Operations of the window that were answered, also those whose latencies are not taken.
    var answered: UInt64 = 0
    package var perWorker: [UInt64] = []
    /// Operations that the clients completed in the window, where the server does not tell its own.
    var completed: UInt64?
    /// Operations of all workers.
    package var operations: UInt64 { completed ?? perWorker.reduce(0, +) }
    /// The time between the snapshots, divided by that in which operations were counted.
    var costWindowRatio = 1.0
    /// Operations of the time in which CPU time and calls were counted.
    var operationsOfCosts: Double { Double(operations) * costWindowRatio }
    package var totals: [WorkerCount: UInt64] = [:]
    /// System calls as the kernel counted them, where it did.
    var calls: CallCounts?
    /// What else the kernel counted of a server that is seen from outside, where it did.
    var activity: ServerActivity?
    package var server = ThreadUsage()
    var client = ThreadUsage()
    /// What is seen of the server's processes from outside: used in the window, and held at its end.
    package var processes: ProcessUsage?
    /// Descriptors of the server's processes that were opened in the window and not closed.
    var descriptorGrowth = 0
    /// CPU time of the clients, as a share of what all of them could have had.
    var clientBusy: Double?
    /// CPU time of the whole machine.
    var machineNanoseconds: UInt64?
    /// CPU time of the kernel's threads that poll for the server's rings; nil without.
    package var pollerNanoseconds: UInt64?
    var starvationNanoseconds: UInt64 = 0
    var openPeak: UInt64 = 0
    /// What the clients saw fail, the warm-up's too.
    package var failures = FailureTally()
    /// What the workers saw fail, the warm-up's too.
    var serverFailures = FailureTally()
    /// Operations that started in the window and failed, as the clients saw it.
    var failedInWindow: UInt64 = 0
    /// Latencies that were too long for the histogram.
    var outOfRange: UInt64 = 0
    /// How late the clients started what was due in the window.
    var sendLag = LatencyRecorder()
    /// Connections that the clients had open when the window began.
    var openConnections = 0
    /// Operations that were due in the window; nil in a closed loop.
    var due: UInt64?
    var isOpenLoop: Bool { due != nil }
    /// Length of the window that was asked for; the measured one is a little longer on busy processors.
    var windowNanoseconds: UInt64 = 0
    /// Longest time in the window in which no operation was completed; nil if it was not watched.
    var stallNanoseconds: UInt64?
    /// What has to be known before the figures are used.
    package internal(set) var warnings: [String] = []
    package var lost: UInt64 = 0
    /// Connections that were made again after the server had closed them.
    var reconnections: UInt64 = 0
    var listenOverflows: UInt64?
    package var foreignShare: Double?
    var steeringFallbacks: UInt64?
    /// The last line that somebody else's server printed.
    var serverLastWords: String?
    var peakMemoryBytes: UInt64?
    var bytesPerConnection: Double?
    var lastAnswer: UInt64 = 0
    /// What this host sent again and dropped in the window.
    var network = NetworkCounters()
    /// The interface over which the load went; nil of one without a network.
    var interface: String?
    /// Version and cipher of TLS; empty of plain connections.
    var negotiated = ""
    /// The latencies in two parts; nil where replies were not stamped.
    var split: LatencySplit?
    /// What became of the clients' datagrams.
    package var datagrams = DatagramCounts()
    /// Who counted the system calls on another machine; nil if nobody did, or this process did.
    var counter: CallCounterFacts?
    /// Where a server on another machine listened; empty of one that runs here.
    var serverAddress = ""
    /// When the hosts that loaded began; nil where this process loaded.
    package var hosts: HostTimes?
    /// When the measured window ended.
    var windowEnd: UInt64 = 0
    package var wake = WakeResults()

    /// Adds what the client threads saw.
    ///
    /// - Throws: the first error that ended one of them.
    mutating func add(_ results: [Result<ClientResult, Errno>]) throws(Errno) {
        var seen = ClientResult()
        var probe: ClientResult?
        for result in results {
            let result = try result.get()
            if result.isProbe { probe = result } else { seen.add(result) }
        }
        let isOpen = seen.due != nil
        answered = seen.latencies.histogram.totalCount
        if var probe {
            answered += probe.latencies.histogram.totalCount
            (probe.openConnections, probe.due) = (0, isOpen ? probe.due : nil)
            outOfRange += seen.latencies.outOfRange
            seen.add(probe)
            (seen.latencies, seen.split) = (probe.latencies, probe.split)
        }
        reconnections += seen.reconnections
        failures.add(seen.failures)
        failedInWindow += seen.failedInWindow
        outOfRange += seen.latencies.outOfRange
        if let more = seen.due { due = (due ?? 0) + more }
        sendLag.add(seen.sendLag)
        openConnections += seen.openConnections
        lost += seen.lost
        datagrams.add(seen.datagrams)
        if negotiated.isEmpty { negotiated = seen.negotiated }
        lastAnswer = max(lastAnswer, seen.lastAnswer)
        latencies = seen.latencies.histogram
        split = seen.split
    }

    /// Takes the operations that the clients completed for those of a server that does not tell.
    ///
    /// Clients cut their part at the window's ends, and a snapshot is taken when the processor allows it, so that what was
    /// used belongs to a time that is a little longer.
    ///
    /// - Parameter isWhole: the window was not cut short.
    mutating func countCompletions(of results: [Result<ClientResult, Errno>], isWhole: Bool) {
        completed = results.reduce(0) { $0 + ((try? $1.get().completedInWindow) ?? 0) }
        guard isWhole, windowNanoseconds > 0, durationNanoseconds > 0 else { return }
        costWindowRatio = Double(durationNanoseconds) / Double(windowNanoseconds)
        durationNanoseconds = windowNanoseconds
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

    /// Takes what a server reports at its end.
    mutating func note(_ report: ServerReport) {
        starvationNanoseconds = report.starvationNanoseconds
        openPeak = report.openPeak
        serverFailures = report.failures
        steeringFallbacks = report.steeringFallbacks
        warnings += report.remarks
        serverLastWords = report.lastWords
        peakMemoryBytes = report.peakMemoryBytes
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
}
