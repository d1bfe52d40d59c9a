/// One column of `runs.csv`: what it is called, what it means, and how it is written and read.
///
/// The header, the row writer, the reader, the column reference and the metrics of a comparison all come from
/// ``all``; a new column is a property of ``RunRecord`` and an entry at the end of that table.
package struct Column: Sendable {
    package enum Direction: String, Sendable {
        case lower
        case higher
        /// Neither: the column describes.
        case none
    }

    /// The name in the header, unit last.
    package let name: String
    /// `ns`, `1/op`, …; empty for text.
    package let unit: String
    package let meaning: String
    /// Which way is better; ``Direction/none`` for a column that is not a metric.
    package let better: Direction
    /// Counts what the program did rather than how long it took, so that equal code gives equal values wherever the
    /// schedule of the threads does not matter.
    package let isCount: Bool
    /// Whether the column says what was run rather than what came of it; arms are matched by these.
    package let isIdentity: Bool
    /// Columns added after the first release are not, so that older files still read.
    private(set) package var isRequired = true

    private let render: @Sendable (RunRecord) -> String
    private let numeric: @Sendable (RunRecord) -> Double?
    private let assign: @Sendable (String, inout RunRecord) throws(FieldProblem) -> Void

    init<Value: CSVField>(
        _ name: String, _ path: any WritableKeyPath<RunRecord, Value> & Sendable, unit: String = "",
        better: Direction = .none, isCount: Bool = false, isIdentity: Bool = false,
        range: ClosedRange<Double> = 0...Double.greatestFiniteMagnitude, _ meaning: String
    ) {
        self.name = name
        self.unit = unit
        self.meaning = meaning
        self.better = better
        self.isCount = isCount
        self.isIdentity = isIdentity
        render = { $0[keyPath: path].csvText }
        numeric = { $0[keyPath: path].number }
        assign = { (text, record) throws(FieldProblem) in
            record[keyPath: path] = try Value.parse(text, in: range)
        }
    }

    /// A count for each operation, of which less is better.
    static func count<Value: CSVField>(
        _ name: String, _ path: any WritableKeyPath<RunRecord, Value> & Sendable, _ meaning: String
    ) -> Column {
        Column(name, path, unit: "1/op", better: .lower, isCount: true, meaning)
    }

    /// The same, and a file may lack it.
    var asOptional: Column {
        var column = self
        column.isRequired = false
        return column
    }

    /// The column's value in `record` as it stands in the file, before quoting.
    package func text(of record: RunRecord) -> String { render(record) }

    package func number(of record: RunRecord) -> Double? { numeric(record) }

    func set(_ text: String, in record: inout RunRecord) throws(FieldProblem) { try assign(text, &record) }

    /// Whether it is a quantity that was measured or counted, be it a metric or not.
    package var isMeasure: Bool { !unit.isEmpty && !isIdentity }

    package static let metrics = all.filter { $0.better != .none }

    package static func named(_ name: String) -> Column? { byName[name] }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// Every column as a row of a Markdown table, for the column reference in the results' documentation.
    package static var markdownTable: String {
        let rows = all.map { column in
            let better = column.better == .none ? "" : column.better.rawValue
            return "| `\(column.name)` | \(column.unit) | \(better) | \(column.meaning) |"
        }
        return (["| column | unit | better | meaning |", "|---|---|---|---|"] + rows).joined(separator: "\n") + "\n"
    }
}
