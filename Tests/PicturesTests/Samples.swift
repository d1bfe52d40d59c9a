import Histogram
import Pictures
import Records

/// Rows and histograms that tests start from.
enum Samples {
    static func record(
        _ mode: String = "epoll-lt", round: Int = 1, connections: Int = 64, edit: (inout RunRecord) -> Void = { _ in }
    ) -> RunRecord {
        var record = RunRecord()
        record.runId = "\(mode)-\(connections)-\(round)"
        record.startedAt = "2026-01-31T12:00:0\(round % 10)Z"
        (record.gitCommit, record.machineId, record.build) = ("0123abc", "m1", "release")
        (record.workload, record.mode) = ("accept", mode)
        (record.topology, record.listener, record.pinning) = ("set-per-worker", "shared", "server=0 client=1")
        (record.workers, record.clients, record.connections) = (2, 1, connections)
        (record.round, record.orderInRound) = (round, 1)
        let wobble = Double(round)
        record.status = .ok
        record.durationS = 1
        record.operations = 100_000 + 100 * UInt64(round)
        record.throughputOpsPerS = 100_000 + 100 * wobble
        record.latencyKind = .fromCall
        record.serverCpuNsPerOp = 5_000 + 10 * wobble
        record.syscallsPerOp = 3
        record.wakeupsPerOp = 1
        record.spuriousWakeupsPerOp = 0.25
        record.voluntarySwitchesPerOp = 1.5
        record.perWorkerOps = [60_000, 40_000 + 100 * UInt64(round)]
        record.latencySamples = 200
        edit(&record)
        if ["crr", "read"].contains(record.workload) { record.protocol = "echo" }
        return record
    }

    /// Latencies from 10 µs up, later rounds a little slower.
    static func interval(_ record: RunRecord) -> HistogramLog.Interval {
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
        for step in 0..<UInt64(record.latencySamples ?? 0) {
            histogram.record(10_000 + step * 250 + UInt64(record.round) * 500)
        }
        return HistogramLog.Interval(
            tag: HistogramLog.tag(record.mode), startSeconds: 0, lengthSeconds: 1, histogram: histogram)
    }

    static func folder(_ records: [RunRecord], name: String = "run", withLatencies: Bool = true) -> PicturedFolder {
        let sampled = records.filter { ($0.latencySamples ?? 0) > 0 }
        return PicturedFolder(
            name: name, records: records, intervals: withLatencies ? sampled.map(interval) : [], kernel: "6.18.0")
    }

    /// Every mode in every round.
    static func folder(modes: [String], rounds: Int, name: String = "run") -> PicturedFolder {
        folder((1...rounds).flatMap { round in modes.map { record($0, round: round) } }, name: name)
    }

    static func pictures(
        _ folders: [PicturedFolder], kinds: [PictureKind]? = nil, layout: Layout = .wide
    ) -> Pictures {
        Pictures(PictureInput(folders), kinds: kinds, layout: layout, format: .svg)
    }

    /// Names that would do harm somewhere, were they not escaped.
    static let hostileNames = [
        "<script>alert(1)</script>", "it's", "say \"hi\"", "`touch pwned`", "'; system('touch pwned'); '",
        "$(touch pwned)", "@GPFUN", "a_b^{c}", "back\\slash\\", "50 %s %n %%", "line\nbreak\n!touch pwned\n", "]]>",
        "&amp;",
        "a,b;c", "#comment", "…ünï😀", "\u{0}\u{1b}[31m", "--option", "../../escape", "",
    ]
}
