package import Records

/// What decides which of several arms is best, by what their runs are about. The raw value is the column that tells.
package enum Question: String {
    /// A search: the rate that keeps a bound.
    case capacity = "capacity_ops_per_s"
    /// Operations that take their time: how long the unlucky wait.
    case p999 = "latency_p999_ns"
    /// The same where no run had operations enough for more.
    case p99 = "latency_p99_ns"
    case serverCPU = "server_cpu_ns_per_op"
    /// Where nobody can see what the server uses.
    case throughput = "throughput_ops_per_s"

    /// For arms that had the same to do.
    package init(_ groups: [ArmRuns]) {
        let asked: [Question] =
            groups.searchRates
            ? [.capacity] : (groups.haveServiceTimes ? [.p999, .p99] : []) + [.serverCPU, .throughput]
        self = asked.first { question in groups.contains { !$0.values(question.value).isEmpty } } ?? asked[0]
    }

    /// The deepest percentile that a table of such runs shows, in parts per million.
    package static func deepestPercentile(for records: [RunRecord]) -> UInt64 {
        ArmRuns.group(records).haveServiceTimes ? 999_000 : 990_000
    }

    func value(_ record: RunRecord) -> Double? { Column.named(rawValue)?.number(of: record) }

    func format(_ value: Double) -> String { HumanUnits.of(value, column: rawValue) }

    var prefersMore: Bool { Column.named(rawValue)?.better == .higher }

    /// How a list in the order of the answers begins.
    var order: String {
        switch self {
        case .capacity: "Highest capacity first"
        case .p999: "Lowest p99.9 first"
        case .p99: "Lowest p99 first"
        case .serverCPU: "Least server CPU first"
        case .throughput: "Highest throughput first"
        }
    }
}

extension [ArmRuns] {
    /// Whether every arm searched for the highest rate that keeps its bound.
    var searchRates: Bool { !isEmpty && allSatisfy { !$0.arm["slo"].isEmpty } }

    /// Whether operations keep a worker of ours for a time; the servers of others beside it have times of their own.
    var haveServiceTimes: Bool { contains { !["", "none"].contains($0.arm["service_time"]) } }
}
