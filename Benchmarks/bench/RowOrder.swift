import Records
import Workloads

/// Rows as a reader looks for them and not as chance ran them: what was varied groups them, and within a group they
/// stand as the modes are listed.
func inModeOrder(_ rows: [RunRecord]) -> [RunRecord] {
    let arms = rows.map(Arm.init)
    let varying = Arm.varyingColumns(of: Array(Set(arms)))
    let keys = zip(rows, arms).map { row, arm in
        [place(row.workload, in: "workload")] + varying.map { place(arm[$0], in: $0) } + [place(row.mode, in: "mode")]
    }
    return rows.indices.sorted { first, second in
        for (a, b) in zip(keys[first], keys[second]) where a != b { return a < b }
        return first < second
    }.map { rows[$0] }
}

/// Where a value stands among those of its column: numbers by size, names as the program lists them.
private func place(_ value: String, in column: String) -> Place {
    if let number = Double(value) { return Place(number: number, name: "") }
    let place = names[column]?.firstIndex(of: value)
    return Place(number: place.map(Double.init) ?? .infinity, name: value)
}

private struct Place: Comparable {
    var number: Double
    /// Tells apart what no list has.
    var name: String

    static func < (a: Place, b: Place) -> Bool { (a.number, a.name) < (b.number, b.name) }
}

private let names: [String: [String]] = [
    "workload": Workload.allCases.map(\.rawValue), "mode": Mode.all.map(\.name),
    "topology": Topology.allCases.map(\.rawValue), "listener": ListenerSharing.allCases.map(\.rawValue),
    "implementation": RunPlan.Implementation.allCases.map(\.rawValue),
    "rearm": [""] + RunPlan.Rearm.allCases.map(\.rawValue), "signal": WakeSignal.allCases.map(\.rawValue),
    "descriptors": TaskDescriptors.allCases.map(\.rawValue),
    "placement": ["same-cpu", "different-cpus", "unpinned"],
]
