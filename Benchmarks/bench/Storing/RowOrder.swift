import Records
import Reports

/// Rows sorted for display: grouped by what was varied, and within a group in the order of the list of modes.
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
    let place = namesInOrder[column]?.firstIndex(of: value)
    return Place(number: place.map(Double.init) ?? .infinity, name: value)
}

private struct Place: Comparable {
    var number: Double
    /// Tells apart what no list has.
    var name: String

    static func < (a: Place, b: Place) -> Bool { (a.number, a.name) < (b.number, b.name) }
}
