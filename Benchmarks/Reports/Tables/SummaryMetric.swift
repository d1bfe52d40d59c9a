package import Records

package struct SummaryMetric {
    package let title: String
    package var unit = ""
    /// Where there is no room, the columns with the highest go first; 0 stays.
    var rank = 0
    package let value: (RunRecord) -> Double?
    package let format: (Double) -> String
    var isServed = false

    /// From left to right, for the runs of `groups`: what decides, what else their question is about, and the rest. A figure
    /// that no run has, or that says nothing of such runs, is left out. `noun` is what an operation is called, short.
    package static func shown(noun: String, _ groups: [ArmRuns]) -> [SummaryMetric] {
        func has(_ question: Question) -> Bool { groups.byCondition.contains { Question($0.members) == question } }
        let p99 = time("p99", rank: 3, \.latencyP99Ns)
        let tail = groups.haveServiceTimes ? [time("p99.9", \.latencyP999Ns)] + (has(.p99) ? [p99] : []) : []
        let longest = groups.haveServiceTimes ? [time("max", rank: 1, \.latencyMaxNs)] : []
        let metrics =
            (groups.contains { !$0.arm["slo"].isEmpty } ? [capacity(noun)] : []) + tail + longest
            + (groups.watchIdle ? [bytes] : []) + [cpu(noun)]
            + (groups.searchRates ? [] : rates(noun, groups))
            + [time("p50", rank: 4, \.latencyP50Ns)] + (tail.count > 1 ? [] : [p99]) + counts(noun, groups)
        let values = groups.flatMap(\.usable)
        return metrics.filter { metric in metric.isServed || values.contains { metric.value($0) != nil } }
    }

    private static func capacity(_ noun: String) -> SummaryMetric {
        SummaryMetric(title: "capacity", unit: "\(noun)/s", value: \.capacityOpsPerS, format: HumanUnits.count)
    }

    private static func cpu(_ noun: String) -> SummaryMetric {
        SummaryMetric(title: "CPU", unit: "/\(noun)", value: \.serverCpuNsPerOp, format: HumanUnits.time)
    }

    private static func rates(_ noun: String, _ groups: [ArmRuns]) -> [SummaryMetric] {
        let isOpen = groups.contains { $0.records.contains { $0.offeredPerS != nil } }
        let served = SummaryMetric(
            title: isOpen ? "served" : "\(noun)/s", unit: isOpen ? "\(noun)/s" : "", value: \.throughputOpsPerS,
            format: HumanUnits.count, isServed: true)
        let offered = SummaryMetric(
            title: "offered", unit: "\(noun)/s", rank: 1, value: \.offeredPerS, format: HumanUnits.count)
        return isOpen ? [offered, served] : [served]
    }

    /// What the loops did, as far as it can be otherwise: one worker is always fair, and wakes nobody for nothing.
    private static func counts(_ noun: String, _ groups: [ArmRuns]) -> [SummaryMetric] {
        func perOperation(_ title: String, rank: Int, _ value: @escaping (RunRecord) -> Double?) -> SummaryMetric {
            SummaryMetric(title: title, unit: "/\(noun)", rank: rank, value: value, format: HumanUnits.perOperation)
        }
        func isCounted(_ value: (RunRecord) -> Double?) -> Bool {
            groups.contains { $0.values(value).contains { $0 > 0 } }
        }
        let several = groups.contains { $0.usable.contains(where: \.sharesWork) }
        let perReceive = SummaryMetric(
            title: "received", unit: "/call", rank: 2, value: \.datagramsPerReceive, format: HumanUnits.perOperation)
        let lost = SummaryMetric(
            title: "lost", rank: 1, value: { $0.datagramsLost?.number }, format: HumanUnits.count)
        let datagrams = (isCounted(lost.value) ? [lost] : []) + (isCounted(perReceive.value) ? [perReceive] : [])
        return datagrams + [perOperation("calls", rank: 2, \.syscallsPerOp)]
            + (isCounted(\.wakeupsPerOp) ? [perOperation("wakeups", rank: 5, \.wakeupsPerOp)] : [])
            + (several && isCounted(\.spuriousWakeupsPerOp)
                ? [perOperation("spurious", rank: 6, \.spuriousWakeupsPerOp)] : [])
            + (several
                ? [
                    SummaryMetric(
                        title: "fair", unit: "Jain", rank: 7, value: \.fairnessJain, format: HumanUnits.perOperation)
                ] : [])
    }

    private static func time(
        _ title: String, rank: Int = 0, _ value: @escaping (RunRecord) -> UInt64?
    ) -> SummaryMetric {
        SummaryMetric(title: title, rank: rank, value: { value($0)?.number }, format: HumanUnits.time)
    }

    private static var bytes: SummaryMetric {
        SummaryMetric(
            title: "bytes", unit: "/conn", value: \.bytesPerConnection, format: HumanUnits.count)
    }
}

extension [ArmRuns] {
    /// Whether some of their connections never speak.
    fileprivate var watchIdle: Bool { contains { !["", "0"].contains($0.arm["idle"]) } }
}
