package import Meters

/// What one client thread saw.
package struct ClientResult: Sendable, Codable {
    /// The times that decide what is measured.
    var window = RunWindow.never
    /// Latencies of the operations that started in the window.
    package var latencies = LatencyRecorder()
    /// Operations that failed, the warm-up's too.
    package var failures = FailureTally()
    /// Operations that started in the window and failed.
    package var failedInWindow: UInt64 = 0
    /// Operations without an answer at the deadline, and scheduled ones that could not start.
    package var lost: UInt64 = 0
    /// When the last operation ended.
    package var lastAnswer: UInt64 = 0
    /// Operations that were due in the window; nil in a closed loop.
    package var due: UInt64?
    /// Operations that were completed in the window, whenever they started.
    package var completedInWindow: UInt64 = 0
    /// Open loop: how much later than scheduled the operations of the window started.
    package var sendLag = LatencyRecorder()
    /// Connections that were open when the window began, idle ones not included.
    package var openConnections = 0
    /// Connections of a read that were made again after the server had closed them; failed attempts do not count.
    package var reconnections: UInt64 = 0
    /// What became of datagrams.
    package var datagrams = DatagramCounts()
    /// Version and cipher of TLS; empty of plain connections.
    package var negotiated = ""
    /// It is the probe's, whose latencies alone are taken.
    package var isProbe = false
    /// When its load really began; 0 if it did not. Of several clients the first one's, and the last one's.
    package var begun: UInt64 = 0
    package var lastBegun: UInt64 = 0
    /// The latencies in two parts; nil where replies are not stamped.
    package var split: LatencySplit?
    /// When operations were completed.
    package var timeline = CompletionTimeline()

    package init(latencies: LatencyRecorder = LatencyRecorder()) { self.latencies = latencies }

    /// Measures in a window from now on, whose end is unknown if it `isOpen`.
    mutating func begin(_ window: RunWindow, isOpen: Bool = false) {
        self.window = window
        timeline.begin(window, isOpen: isOpen)
        split?.begin()
    }

    /// Counts an operation that was answered, rightly or not.
    @inline(__always) mutating func end(startedAt start: UInt64, at now: UInt64, _ failure: FailureTally.Cause?) {
        lastAnswer = now
        if let failure { return fail(failure, startedAt: start) }
        timeline.note(now)
        if window.measures(now) { completedInWindow += 1 }
        if window.measures(start) { latencies.record(nanoseconds: now - start) }
    }

    /// The same of an operation whose reply `transport` has received last.
    @inline(__always) mutating func end(
        startedAt start: UInt64, at now: UInt64, _ failure: FailureTally.Cause?, over transport: Transport
    ) {
        end(startedAt: start, at: now, failure)
        if split != nil, failure == nil { notePart(startedAt: start, arrivedAt: transport.arrival, at: now) }
    }

    @inline(never) private mutating func notePart(startedAt start: UInt64, arrivedAt arrival: UInt64, at now: UInt64) {
        if window.measures(start) { split?.note(startedAt: start, arrivedAt: arrival, at: now) }
    }

    /// Takes when an operation really started that was scheduled.
    @inline(__always) mutating func noteStart(scheduled: UInt64, at now: UInt64) {
        if window.measures(scheduled) { sendLag.record(nanoseconds: now > scheduled ? now - scheduled : 0) }
    }

    /// Counts an operation that failed.
    @inline(never) mutating func fail(_ cause: FailureTally.Cause, startedAt start: UInt64) {
        failures.note(cause)
        if window.measures(start) { failedInWindow += 1 }
    }
}
