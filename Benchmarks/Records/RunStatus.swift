package enum Status: String, Sendable, CaseIterable {
    /// Completed, and nothing that was watched spoiled it.
    case ok
    /// Completed, but something spoiled it (a listen queue overflowed): its numbers must not be used.
    case void
    /// Stopped before its end: its numbers cover a shorter window than was asked for.
    case partial
    /// This kernel, or this combination of options, cannot run it.
    case unsupported
    /// Gave up with an error, or lost operations.
    case failed
}

/// Where the clock of a latency sample starts.
package enum LatencyKind: String, Sendable, CaseIterable {
    /// Open loop: at the time the operation was scheduled for, so that a stall is charged to all it delayed. Of a timer, when
    /// its time was over.
    case fromScheduledStart = "from-scheduled-start"
    /// Closed loop: just before the client's call.
    case fromCall = "from-call"
    /// Of a probe alone, at its scheduled times.
    case probe
}
