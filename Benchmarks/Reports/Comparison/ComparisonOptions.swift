package import Records

/// How two sets of runs are compared, and what counts as a change.
package struct ComparisonOptions: Sendable {
    package enum Design: Sendable {
        /// Both sides ran in the same blocks, interleaved; runs with the same `round` are compared with one another.
        case paired
        case unpaired
    }

    package var design: Design
    /// The smallest change that matters, as a share: 0.02 for 2 %.
    package var minEffect = 0.02
    /// Probability that any gating metric of identical code is called changed.
    package var alpha = 0.05
    package var metrics = ComparisonOptions.defaultMetrics
    package var gating = ComparisonOptions.defaultGating
    /// Whether a clear change of the other metrics counts too. Each of them has a tenth of a gating metric's share in
    /// ``alpha``, and doubt about it is none about the whole.
    package var othersCount = true
    /// What identical code shows on this machine; its floor widens the margin of its metric.
    package var noiseFloor: NoiseFloor?
    /// Unpaired: how far the machine may have drifted between the two measurements, as a share. It bounds what can be
    /// told of times. `nil` takes it from the noise floor, else from what was seen elsewhere.
    package var drift: Double?
    package var allowsMissing = false
    package var modeOrder: [String] = []
    /// Identity columns in which the two sides may differ, such as `mode` when two modes are compared.
    package var ignoredColumns: Set<String> = []
    package var allowsDifferentMachines = false

    /// Compares only the counts that are steady and whole on the base side, and those that lie clearly apart. Those need
    /// few runs and no statistics, and stay the same from machine to machine.
    package var comparesSteadyCountsOnly = false

    package static let defaultMetrics = [
        "throughput_ops_per_s", "latency_p50_ns", "latency_p99_ns", "server_cpu_ns_per_op", "syscalls_per_op",
        "wakeups_per_op", "spurious_wakeups_per_op", "voluntary_switches_per_op", "capacity_ops_per_s",
    ]
    /// The metrics that gate unless told otherwise. Throughput and closed-loop latency are not among them, since on
    /// loopback they measure the client as much as the server.
    package static let defaultGating = [
        "server_cpu_ns_per_op", "syscalls_per_op", "wakeups_per_op", "capacity_ops_per_s",
    ]

    /// The drift of a machine that was not calibrated. Of one program, measured in turn within four minutes on the
    /// virtual machine of the kept runs, nothing else running, medians differed by 18 % in CPU time, by 48 % in throughput
    /// and by a factor of 3.7 in what happens for some operations only, such as a wake-up.
    static func defaultDrift(of column: Column) -> Double {
        switch column.unit {
        case "ns/op": 0.4
        case "1/op": 3
        default: 0.5
        }
    }

    /// What a metric that does not gate gets of ``alpha``, as a share of what one gets that does.
    static let shareOfOthers = 0.1

    package init(design: Design) { self.design = design }
}

/// Why two sets of runs cannot be compared; one line that says what to do.
package enum ComparisonError: Error, Equatable, CustomStringConvertible, Sendable {
    case differentMachines(base: String, new: String)
    case noRuns(side: String)
    /// Not a metric, or one that has no better and worse.
    case unknownMetric(String)
    case noBetterSide(String)

    package var description: String {
        switch self {
        case .differentMachines(let base, let new):
            "the runs come from different machines (\(base) and \(new)), whose numbers do not compare; "
                + "measure both on one, or force it"
        case .noRuns(let side):
            "\(side) holds no runs, so there is nothing to compare; measure it again"
        case .noBetterSide(let name):
            "\(name) is a column of which neither more nor less is better, so it cannot be compared; name one of "
                + Column.metrics.map(\.name).joined(separator: ", ")
        case .unknownMetric(let name):
            "\(quotedExcerpt(name)) is not a metric; there are \(Column.metrics.map(\.name).joined(separator: ", "))"
        }
    }
}
