/// A column whose value contradicts others of its row; completes the sentence "column … ".
struct RowProblem: Error {
    var column: String
    var message: String
}

extension RunRecord {
    /// Checks that the columns of a row agree with each other as a run leaves them.
    func checkConsistency() throws(RowProblem) {
        try checkStatus()
        try checkThroughput()
        try checkLatencies()
        try checkWorkers()
        try checkLoad()
        try checkWake()
    }

    private func require(_ holds: Bool, _ column: String, _ message: @autoclosure () -> String) throws(RowProblem) {
        if !holds { throw RowProblem(column: column, message: message()) }
    }

    private func checkStatus() throws(RowProblem) {
        guard status == .ok else {
            return try require(!reason.isEmpty, "reason", "is empty in a row that is \(status.rawValue)")
        }
        try require(reason.isEmpty, "reason", "is not empty in a row that is ok")
        try require(operations > 0, "operations", "is 0 in a row that is ok")
        try require(durationS ?? 0 > 0, "duration_s", "is not above 0 in a row that is ok")
        try require(throughputOpsPerS != nil, "throughput_ops_per_s", "is empty in a row that is ok")
        let spoiling = [
            ("lost", lost), ("listen_overflows", listenOverflows), ("tasks_lost", tasksLost),
            ("tasks_done_twice", tasksDoneTwice),
        ]
        for (column, count) in spoiling {
            try require(count ?? 0 == 0, column, "is not 0, which no row that is ok has")
        }
    }

    private func checkThroughput() throws(RowProblem) {
        guard let durationS else {
            try require(operations == 0, "operations", "is not 0 in a row without duration_s")
            return try require(
                throughputOpsPerS ?? 0 == 0, "throughput_ops_per_s", "is not empty in a row without duration_s")
        }
        guard let throughputOpsPerS else { return }
        let difference = abs(throughputOpsPerS * durationS - Double(operations))
        try require(
            difference <= 0.001 * Double(operations) + 1e-9, "throughput_ops_per_s", "is not operations by duration_s")
    }

    private func checkLatencies() throws(RowProblem) {
        let ladder: [(String, UInt64?)] = [
            ("latency_min_ns", latencyMinNs), ("latency_p50_ns", latencyP50Ns), ("latency_p90_ns", latencyP90Ns),
            ("latency_p99_ns", latencyP99Ns), ("latency_p999_ns", latencyP999Ns), ("latency_max_ns", latencyMaxNs),
        ]
        try checkLadder(ladder)
        try checkLadder([
            ("one_way_min_ns", oneWayMinNs), ("one_way_p50_ns", oneWayP50Ns), ("one_way_p99_ns", oneWayP99Ns),
        ])
        if let mean = latencyMeanNs {
            // The mean is of the histogram's resolution, the ends are exact.
            let isBelow = latencyMinNs.map { mean < Double($0) * 0.99 - 1 } ?? false
            let isAbove = latencyMaxNs.map { mean > Double($0) * 1.01 + 1 } ?? false
            try require(!isBelow && !isAbove, "latency_mean_ns", "is not between the shortest and the longest latency")
        }
        let start: LatencyKind = ratePerS == nil ? .fromCall : .fromScheduledStart
        try require(
            latencyKind == nil || latencyKind == start, "latency_kind",
            "is not \(start.rawValue), which rate_per_s makes it")
        guard let latencySamples else { return }
        try require((latencySamples > 0) == (latencyKind != nil), "latency_samples", "contradicts latency_kind")
        let supported = latencySamples == 0 ? [] : LatencySummary.supportedPerMille(samples: latencySamples)
        let percentiles: [(String, UInt64?, UInt64)] = [
            ("latency_p50_ns", latencyP50Ns, 500), ("latency_p90_ns", latencyP90Ns, 900),
            ("latency_p99_ns", latencyP99Ns, 990), ("latency_p999_ns", latencyP999Ns, 999),
        ]
        for (column, value, perMille) in percentiles {
            try require(
                value == nil || supported.contains(perMille), column,
                "is not empty although fewer than ten of \(latencySamples) samples lie beyond it")
        }
    }

    private func checkLadder(_ ladder: [(column: String, value: UInt64?)]) throws(RowProblem) {
        var last: (column: String, value: UInt64)?
        for (column, value) in ladder {
            guard let value else { continue }
            if let last { try require(last.value <= value, column, "is less than \(last.column)") }
            last = (column, value)
        }
    }

    private func checkWorkers() throws(RowProblem) {
        if let fairnessJain {
            let least = 1 / Double(workers)
            try require(fairnessJain >= least - 1e-9, "fairness_jain", "is less than 1/\(workers), which is the least")
        }
        guard !perWorkerOps.isEmpty else { return }
        try require(perWorkerOps.count == workers, "per_worker_ops", "does not hold \(workers) numbers, one a worker")
        let sum = perWorkerOps.reduce((UInt64(0), false)) { sum, count in
            let (total, overflow) = sum.0.addingReportingOverflow(count)
            return (total, sum.1 || overflow)
        }
        try require(
            sum == (operations, false), "per_worker_ops", "does not add up to operations, which is \(operations)")
        guard let fairnessJain, let index = jainIndex(perWorkerOps) else { return }
        try require(abs(index - fairnessJain) < 1e-6, "fairness_jain", "is not that of per_worker_ops")
    }

    private func checkLoad() throws(RowProblem) {
        let isOpen = ratePerS != nil
        try require(!isOpen || drain == nil, "drain", "is not empty in an open loop")
        try require(isOpen || spacing.isEmpty, "spacing", "is not empty in a closed loop")
        try require(isOpen || offeredOpsPerS == nil, "offered_ops_per_s", "is not empty in a closed loop")
        try require(isOpen || saturated.isEmpty, "saturated", "is not empty in a closed loop")
        try require(serviceTime != "none" || service.isEmpty, "service", "is not empty without a service time")
    }

    private func checkWake() throws(RowProblem) {
        guard workload != "wake" else { return }
        let texts = [
            ("signal", signal), ("shape", shape), ("descriptors", descriptors), ("live", live),
            ("placement", placement),
        ]
        for (column, text) in texts {
            try require(text.isEmpty, column, "is not empty although the workload is not wake")
        }
        let numbers: [(String, Bool)] = [
            ("producers", producers == nil), ("consumers", consumers == nil), ("tasks", tasks == nil),
            ("one_way_min_ns", oneWayMinNs == nil), ("one_way_p50_ns", oneWayP50Ns == nil),
            ("one_way_p99_ns", oneWayP99Ns == nil), ("tasks_lost", tasksLost == nil),
        ]
        for (column, isEmpty) in numbers {
            try require(isEmpty, column, "is not empty although the workload is not wake")
        }
    }
}
