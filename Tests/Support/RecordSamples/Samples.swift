package import Histogram
package import Records

/// Rows and histograms that tests start from.
package enum Samples {
    package static func record(
        _ mode: String = "epoll-lt", round: Int = 1, workload: String = "accept", topology: String = "set-per-worker",
        listener: String = "shared", workers: Int = 4, edit: (inout RunRecord) -> Void = { _ in }
    ) -> RunRecord {
        var record = RunRecord()
        (record.runId, record.startedAt) = ("\(mode)-\(round)", "2026-01-31T12:00:00Z")
        (record.gitCommit, record.machineId, record.build) = ("0123abc", "m1", "release")
        (record.workload, record.mode, record.topology, record.listener) = (workload, mode, topology, listener)
        (record.workers, record.clients, record.connections) = (workers, 1, 64)
        (record.round, record.orderInRound) = (round, 1)
        record.status = .ok
        record.durationS = 1
        record.operations = 118_000
        record.throughputOpsPerS = 118_000
        record.latencyKind = .fromCall
        record.latencyP50Ns = 12_300
        record.latencyP99Ns = 1_200_000
        record.serverCpuNsPerOp = 5_120
        record.clientCpuNsPerOp = 6_000
        record.syscallsPerOp = 3
        record.wakeupsPerOp = 1
        record.spuriousWakeupsPerOp = 0
        record.voluntarySwitchesPerOp = 1
        record.perWorkerOps = Array(repeating: record.operations / UInt64(workers), count: workers)
        record.fairnessJain = 1
        edit(&record)
        return record
    }

    package static func histogram(_ values: some Sequence<UInt64>) -> Histogram<UInt64> {
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
        for value in values { histogram.record(value) }
        return histogram
    }
}

/// Deterministic bytes for tests that mutate their input.
package struct TestGenerator: RandomNumberGenerator {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let mixed = (state ^ (state >> 33)) &* 0xff51_afd7_ed55_8ccd
        return mixed ^ (mixed >> 33)
    }
}
