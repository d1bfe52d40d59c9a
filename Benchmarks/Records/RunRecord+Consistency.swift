import Statistics

/// A column whose value contradicts others of its row; completes the sentence "column … ".
struct RowProblem: Error {
    var column: String
    var message: String
}

extension RunRecord {
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

    /// Whether operations had a schedule: at one rate, or at those of a search.
    private var isOpenLoop: Bool { ratePerS != nil || !slo.isEmpty }

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
        try checkLadder(["min", "p50", "p90", "p99", "p999", "max"].map { "latency_\($0)_ns" })
        try checkLadder(["min", "p50", "p99"].map { "one_way_\($0)_ns" })
        for part in ["client", "until_arrival"] {
            let parts = ["p50", "p99"].map { "latency_\(part)_\($0)_ns" }
            try checkLadder(parts + ["latency_max_ns"])
            let isSplit = options.split(separator: ";").contains("timestamps")
            for column in parts {
                try require(isSplit || isEmpty(column), column, "is not empty although options has no timestamps")
            }
        }
        if let mean = latencyMeanNs {
            // The mean is of the histogram's resolution, the ends are exact.
            let isBelow = latencyMinNs.map { mean < Double($0) * 0.99 - 1 } ?? false
            let isAbove = latencyMaxNs.map { mean > Double($0) * 1.01 + 1 } ?? false
            try require(!isBelow && !isAbove, "latency_mean_ns", "is not between the shortest and the longest latency")
        }
        let others: LatencyKind = isOpenLoop || shape == "timer" ? .fromScheduledStart : .fromCall
        let start = probeRatePerS == nil ? others : .probe
        try require(
            latencyKind == nil || latencyKind == start, "latency_kind",
            "is not \(start.rawValue), which rate_per_s, slo, probe_rate_per_s and shape make it")
        guard let latencySamples else { return }
        try require((latencySamples > 0) == (latencyKind != nil), "latency_samples", "contradicts latency_kind")
        let supported = latencySamples == 0 ? [] : LatencySummary.supportedPerMille(samples: latencySamples)
        for (name, perMille) in [("p50", 500), ("p90", 900), ("p99", 990), ("p999", 999)] as [(String, UInt64)] {
            try require(
                isEmpty("latency_\(name)_ns") || supported.contains(perMille), "latency_\(name)_ns",
                "is not empty although fewer than ten of \(latencySamples) samples lie beyond it")
        }
    }

    private func isEmpty(_ column: String) -> Bool { Column.named(column)?.text(of: self).isEmpty ?? true }

    /// The values of the columns do not fall.
    private func checkLadder(_ columns: [String]) throws(RowProblem) {
        var last: (column: String, value: Double)?
        for column in columns {
            guard let value = Column.named(column)?.number(of: self) else { continue }
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
        // Somebody else's server has a topology of its own, which nobody knows.
        try require(
            !topology.isEmpty || implementation == "external", "topology", "is not one of shared-set, set-per-worker")
        let speaks = ["crr", "read", "datagram"].contains(workload)
        try require(speaks == !`protocol`.isEmpty, "protocol", speaks ? "is empty" : "is not empty")
        try require(speaks || tls.isEmpty, "tls", "is not empty although nothing is said")
        try require(!tls.isEmpty || tlsNegotiated.isEmpty, "tls_negotiated", "is not empty without TLS")
        let isOpen = isOpenLoop
        try require(slo.isEmpty || ServiceObjective(slo) != nil, "slo", "is not a list of bounds such as p99=1ms")
        try require(slo.isEmpty || ratePerS == nil, "rate_per_s", "is not empty although a rate was searched for")
        try require(!slo.isEmpty || capacityOpsPerS == nil, "capacity_ops_per_s", "is not empty without slo")
        try require(!isOpen || drain == nil, "drain", "is not empty in an open loop")
        try require(isOpen || spacing.isEmpty, "spacing", "is not empty in a closed loop")
        try require(isOpen || offeredOpsPerS == nil, "offered_ops_per_s", "is not empty in a closed loop")
        try require(isOpen || saturated.isEmpty, "saturated", "is not empty in a closed loop")
        try require(serviceTime != "none" || service.isEmpty, "service", "is not empty without a service time")
    }

    private func checkWake() throws(RowProblem) {
        guard workload != "wake" else { return }
        let columns = [
            "signal", "shape", "descriptors", "live", "placement", "producers", "consumers", "tasks", "one_way_min_ns",
            "one_way_p50_ns", "one_way_p99_ns", "tasks_lost",
        ]
        for column in columns {
            try require(isEmpty(column), column, "is not empty although the workload is not wake")
        }
    }
}
