/// What is compared: the runs that agree in every identity column, which differ only by chance.
public struct Arm: Hashable, Sendable {
    /// The values of ``columns``, as in the file.
    public let values: [String]

    /// The columns that tell arms apart.
    public static let columns = Column.all.filter(\.isIdentity)

    /// The arm that `record` is a run of.
    public init(_ record: RunRecord) { values = Self.columns.map { $0.text(of: record) } }

    /// The value of the identity column called `name`.
    public subscript(name: String) -> String {
        Self.columns.firstIndex { $0.name == name }.map { values[$0] } ?? ""
    }

    /// The names of the columns in which arms of the same mode differ: what a name must say beside the mode.
    package static func varyingColumns(of arms: [Arm]) -> [String] {
        let byMode = Dictionary(grouping: arms) { $0["mode"] }.values
        return columns.indices
            .filter { index in byMode.contains { Set($0.map { $0.values[index] }).count > 1 } }
            .map { columns[$0].name }
    }

    /// The mode, and in brackets what else tells this arm from others that differ in the columns `varying`.
    package func label(varying: [String]) -> String {
        let others = varying.filter { !self[$0].isEmpty }.map { Self.phrase($0, self[$0]) }
        return others.isEmpty ? self["mode"] : "\(self["mode"]) (\(others.joined(separator: ", ")))"
    }

    /// Columns whose values mean nothing without a word to them.
    private static let phrases: [String: (before: String, after: String)] = [
        "listener": ("listener ", ""), "workers": ("", " workers"), "connections": ("", " connections"),
        "message_size_bytes": ("", " B"), "depth": ("depth ", ""), "rate_per_s": ("", "/s"),
        "service_time": ("service ", ""), "idle": ("", " idle"), "close": ("", " close"),
        "rearm": ("", " re-arm"), "service": ("", " service"),
        "clients": ("", " clients"), "drain": ("drain ", ""),
    ]

    /// The value of a column with the word that gives it a meaning: `2 workers`.
    package static func phrase(_ column: String, _ value: String) -> String {
        var (before, after) = phrases[column] ?? ("", "")
        if value == "1" && after.hasSuffix("s") { after.removeLast() }
        return before + (value.isEmpty ? "none" : value) + after
    }
}

/// An arm and its runs, in the order of the file.
package struct ArmRuns {
    /// What was run.
    package let arm: Arm
    /// Every run of it.
    package var records: [RunRecord]

    /// The runs whose numbers may be used.
    package var usable: [RunRecord] { records.filter { $0.status == .ok } }

    /// The column's values over the usable runs.
    package func values(_ value: (RunRecord) -> Double?) -> [Double] { usable.compactMap(value) }

    /// `records` by arm, in the order of first appearance.
    package static func group(_ records: [RunRecord]) -> [ArmRuns] {
        var places: [Arm: Int] = [:]
        var groups: [ArmRuns] = []
        for record in records {
            let arm = Arm(record)
            if let place = places[arm] {
                groups[place].records.append(record)
            } else {
                places[arm] = groups.count
                groups.append(ArmRuns(arm: arm, records: [record]))
            }
        }
        return groups
    }
}

/// The median; the mean of the middle two of an even number, `nil` of none.
package func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
