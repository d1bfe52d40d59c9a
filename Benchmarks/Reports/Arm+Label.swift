package import Records

extension Arm {
    /// The names of the columns in which arms of the same mode differ: what a name must say beside the mode.
    package static func varyingColumns(of arms: [Arm]) -> [String] {
        let byMode = Dictionary(grouping: arms) { $0["mode"] }.values
        return columns.indices
            .filter { index in byMode.contains { Set($0.map { $0.values[index] }).count > 1 } }
            .map { columns[$0].name }
    }

    /// Whether operations were due at times of their own: at one rate, or at those of a search.
    var hasSchedule: Bool { !self["rate_per_s"].isEmpty || !self["slo"].isEmpty }

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
        "clients": ("", " clients"), "drain": ("drain ", ""), "think_time_ns": ("", " ns of thinking"),
        "connect_rate_per_s": ("", " connections/s"), "slo": ("within ", ""),
        "machine_id": ("machine ", ""),
    ]

    /// The value of a column with the word that gives it a meaning: `2 workers`.
    package static func phrase(_ column: String, _ value: String) -> String {
        var (before, after) = phrases[column] ?? ("", "")
        if value == "1" && after.hasSuffix("s") { after.removeLast() }
        return before + (value.isEmpty ? "none" : value) + after
    }
}

extension ArmRuns {
    /// The arm's label among those of `groups`.
    package func label(among groups: [ArmRuns]) -> String {
        arm.label(varying: Arm.varyingColumns(of: groups.map(\.arm)))
    }
}

extension RunRecord {
    /// The status, and after a colon why it is not `ok`.
    package var state: String { reason.isEmpty ? status.rawValue : "\(status.rawValue): \(reason)" }
}

/// Numbers by size, words by their letters.
package func precedes(_ left: String, _ right: String) -> Bool {
    if let left = Double(left), let right = Double(right) { return left < right }
    return left < right
}
