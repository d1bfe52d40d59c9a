/// How two sets of runs are compared, and what counts as a change.
public struct ComparisonOptions: Sendable {
    /// How runs of both sides belong together.
    public enum Design: Sendable {
        /// Both sides ran in the same blocks, interleaved; runs with the same `round` are compared with one another.
        case paired
        /// The sides were measured at different times.
        case unpaired
    }

    /// How runs of both sides belong together.
    public var design: Design
    /// The smallest change that matters, as a share: 0.02 for 2 %.
    public var minEffect = 0.02
    /// Probability that any gating metric of identical code is called changed.
    public var alpha = 0.05
    /// The metrics to compare, by column name.
    public var metrics = ComparisonOptions.defaultMetrics
    /// Those of them that decide the overall verdict.
    public var gating = ComparisonOptions.defaultGating
    /// What identical code shows on this machine; its floor widens the margin of its metric.
    public var noiseFloor: NoiseFloor?
    /// Identity columns in which the two sides may differ, such as `mode` when two modes are compared.
    public var ignoredColumns: Set<String> = []
    /// Compares runs of different machines nevertheless.
    public var allowsDifferentMachines = false

    /// Compares only the counts that are steady on the base side. Those need few runs and no statistics, and stay the
    /// same from machine to machine.
    public var comparesSteadyCountsOnly = false

    /// The metrics compared unless told otherwise.
    public static let defaultMetrics = [
        "throughput_ops_per_s", "latency_p50_ns", "latency_p99_ns", "server_cpu_ns_per_op", "syscalls_per_op",
        "wakeups_per_op", "spurious_wakeups_per_op", "voluntary_switches_per_op",
    ]
    /// The metrics that gate unless told otherwise. Throughput and closed-loop latency are not among them, since on
    /// loopback they measure the client as much as the server.
    public static let defaultGating = ["server_cpu_ns_per_op", "syscalls_per_op", "wakeups_per_op"]

    /// The metrics that gate where the sides were measured at different times, unless told otherwise. What the machine
    /// did in between passes for a change of the code in every time, and hardly in a count.
    public static let defaultUnpairedGating = ["syscalls_per_op", "wakeups_per_op"]

    /// The usual thresholds for `design`.
    public init(design: Design) {
        self.design = design
        if design == .unpaired { gating = Self.defaultUnpairedGating }
    }
}

/// Why two sets of runs cannot be compared; one line that says what to do.
public enum ComparisonError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The runs come from machines with different fingerprints.
    case differentMachines(base: String, new: String)
    /// No arm is on both sides.
    case noCommonArms
    /// No run of the named side has the status `ok`.
    case noUsableRuns(side: String)
    /// Not a metric, or one that has no better and worse.
    case unknownMetric(String)

    /// One line.
    public var description: String {
        switch self {
        case .differentMachines(let base, let new):
            "the runs come from different machines (\(base) and \(new)), whose numbers do not compare; "
                + "measure both on one, or force it"
        case .noCommonArms:
            "the two sides have no arm in common: they must share workload, mode and every other option; "
                + "measure the same arms on both"
        case .noUsableRuns(let side):
            "no run of \(side) has the status ok, so there is nothing to compare; its column \"reason\" says why"
        case .unknownMetric(let name):
            "\(quotedExcerpt(name)) is not a metric; there are \(Column.metrics.map(\.name).joined(separator: ", "))"
        }
    }
}
