import Records
import Reports

extension ComparisonError {
    var nearMetric: String {
        if case .unknownMetric(let name) = self { didYouMean(name, among: Column.metrics.map(\.name)) } else { "" }
    }
}

extension Comparison {
    static func of(base: [RunRecord], new: [RunRecord], _ options: ComparisonOptions) throws -> Comparison {
        try refusing { () throws(ComparisonError) in
            try Comparison(base: inModeOrder(base), new: inModeOrder(new), options: options)
        }
    }

    static func refusing<Value>(_ body: () throws(ComparisonError) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            let exit: Exit =
                switch error {
                case .differentMachines: .noBaseline
                case .noRuns: .runFailed
                case .unknownMetric, .noBetterSide: .usage
                }
            throw Failure(exit, error.description + error.nearMetric)
        }
    }

    /// Prints the table after a line that says what is compared, and then which system calls differ, if any do.
    func show(_ title: String) {
        for line in title.split(separator: "\n") { say(String(line)) }
        print(table(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
        guard !callDifferences.isEmpty else { return }
        print("System calls per operation that appeared (+) or went (-):")
        for line in CallDifference.lines(callDifferences) { say(line, indent: 2) }
        print()
    }
}

extension CallDifference {
    /// Which system calls appeared or went between two folders; complains if different sources counted them.
    static func between(_ base: StoredFolder, _ new: StoredFolder) throws -> [CallDifference] {
        if let note = differentCallSources(base: base.rows, new: new.rows) { complain(note) }
        return between(base: base.rows, try base.calls(), new: [(new.rows, try new.calls())])
    }
}

/// Prints on standard error how many rows take no part in a comparison.
func complainOfUnusable(_ rows: [RunRecord], side: String) {
    let states = Dictionary(grouping: rows.filter { $0.status != .ok }, by: \.status)
    let phrases = Status.allCases.compactMap { status in states[status].map { "\($0.count) \(status.rawValue)" } }
    if !phrases.isEmpty { complain("left out of \(side): \(phrases.joined(separator: ", ")); column reason says why") }
}
