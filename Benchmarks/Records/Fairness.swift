extension RunRecord {
    /// Whether the server has workers that can get more or less than others. A thread for each connection, which a blocking
    /// read takes, gets what that one asks.
    package var sharesWork: Bool { workers > 1 && !(mode == "blocking" && workload == "read") }

    /// Whether so much went to a few of the workers that the others might as well not be there: one of two that gets
    /// everything has a Jain's index of 0.5, as have two of four.
    package var leavesWorkersIdle: Bool { sharesWork && (fairnessJain ?? 1) < 0.55 }
}

extension ArmRuns {
    /// Whether more than a quarter of the usable runs left workers idle.
    package var leavesWorkersIdle: Bool { 4 * usable.count(where: \.leavesWorkersIdle) > usable.count }
}
