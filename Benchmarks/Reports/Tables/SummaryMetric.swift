package import Records

package struct SummaryMetric {
    package let title: String
    package var unit = ""
    /// Where there is no room, the columns with the highest go first; 0 stays.
    var rank = 0
    package let value: (RunRecord) -> Double?
    package let format: (Double) -> String
    var isServed = false

    /// From left to right, for the runs of `groups`; `noun` is what an operation is called, short.
    package static func all(noun: String, _ groups: [ArmRuns]) -> [SummaryMetric] {
        let isOpen = groups.contains { $0.records.contains { $0.offeredPerS != nil } }
        let served = SummaryMetric(
            title: isOpen ? "served" : "\(noun)/s", unit: isOpen ? "\(noun)/s" : "", value: \.throughputOpsPerS,
            format: HumanUnits.count, isServed: isOpen)
        let offered = SummaryMetric(
            title: "offered", unit: "\(noun)/s", value: \.offeredPerS, format: HumanUnits.count)
        let capacity = SummaryMetric(
            title: "capacity", unit: "\(noun)/s", value: \.capacityOpsPerS, format: HumanUnits.count)
        let rates = groups.searchRates ? [capacity] : isOpen ? [offered, served] : [served]
        func perOperation(
            _ title: String, rank: Int, _ value: @escaping (RunRecord) -> Double?,
            _ format: @escaping (Double) -> String = HumanUnits.perOperation
        ) -> SummaryMetric {
            SummaryMetric(title: title, unit: "/\(noun)", rank: rank, value: value, format: format)
        }
        return rates + [
            SummaryMetric(title: "p50", rank: 3, value: { $0.latencyP50Ns?.number }, format: HumanUnits.time),
            SummaryMetric(title: "p99", rank: 2, value: { $0.latencyP99Ns?.number }, format: HumanUnits.time),
            perOperation("CPU", rank: 0, \.serverCpuNsPerOp, HumanUnits.time),
            perOperation("calls", rank: 1, \.syscallsPerOp),
            perOperation("wakeups", rank: 4, \.wakeupsPerOp),
            perOperation("spurious", rank: 5, \.spuriousWakeupsPerOp),
            SummaryMetric(
                title: "fair", unit: "Jain", rank: 6, value: \.fairnessJain, format: HumanUnits.perOperation),
        ]
    }
}

extension [ArmRuns] {
    /// Whether every arm searched for the highest rate that keeps its bound.
    var searchRates: Bool { !isEmpty && allSatisfy { !$0.arm["slo"].isEmpty } }
}
