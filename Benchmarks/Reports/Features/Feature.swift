package import Records

/// Something that a run can have or lack: what it is worth is the ratio of the two.
package struct Feature: Sendable {
    /// The value of its column with it: a variant's name, `reuseport-incoming-cpu`, `defer-accept`.
    package let name: String
    /// The value of its column without it; empty where that is none.
    package let base: String
    /// The first kernel that has it; empty if that is not known.
    package let kernel: String
    /// What it does.
    package let summary: String
    /// The column that alone differs.
    package let column: Column

    /// What a feature can differ in.
    package enum Column: String, Sendable {
        /// A variant and its mode.
        case mode
        /// Kinds of listeners.
        case listener
        /// Kinds of signals.
        case signal
        /// What the command line sets.
        case options

        /// The columns that say nothing of the load.
        var ownColumns: [String] {
            // A variant may share a set where its mode does not.
            self == .mode ? ["mode", "topology"] : [rawValue]
        }

        func value(of record: RunRecord) -> String {
            switch self {
            case .mode: record.mode
            case .listener: record.listener
            case .signal: record.signal
            case .options: record.options
            }
        }
    }

    package init(name: String, base: String, kernel: String, summary: String, column: Column = .mode) {
        (self.name, self.base, self.kernel, self.summary, self.column) = (name, base, kernel, summary, column)
    }

    /// Everything that the command line set in some run of these rows, in the order of their names.
    package static func options(in folders: [[RunRecord]]) -> [Feature] {
        Set(folders.joined().map(\.options)).subtracting([""]).sorted().map { text in
            let given = text.replacing("_", with: "-").split(separator: ";").map {
                "`--\($0.replacing("=", with: " "))`"
            }
            return Feature(
                name: text, base: "", kernel: "", summary: "sets \(given.joined(separator: ", "))", column: .options)
        }
    }

    /// Other programs may have had so much of the machine.
    package static let mostForeignShare = 0.2
    /// Of several listeners, workers must have shared the connections as evenly as that (Jain's index).
    package static let leastFairness = 0.8

    /// True of the rows that a comparison may use.
    func admits(_ record: RunRecord) -> Bool {
        guard record.status == .ok, record.implementation == "swift", (record.foreignCpu ?? 0) <= Self.mostForeignShare
        else { return false }
        if column == .listener, record.workers > 1, (record.fairnessJain ?? 1) < Self.leastFairness { return false }
        return column == .options || record.options.isEmpty
    }
}
