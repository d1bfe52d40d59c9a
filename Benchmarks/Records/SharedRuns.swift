/// Which of several lists of runs hold the same measurements: a folder given twice, or a copy of one.
package struct SharedRuns {
    /// A list that others hold too, in whole or in part.
    package struct Copy: Equatable {
        package var index: Int
        /// The index of the list that keeps the runs.
        package var original: Int
        package var shared: Int
        package var runs: Int
        package var example: String
    }

    /// The lists to leave out, by index, so that no run counts twice; of two the one that says less goes.
    package let copies: [Copy]

    package init(_ lists: [[RunRecord]]) {
        let prints = lists.map { list in
            Dictionary(list.compactMap { run in Self.print(of: run).map { ($0, run.runId) } }) { first, _ in first }
        }
        let usable = lists.map { $0.count { $0.status == .ok } }
        let order = lists.indices.sorted {
            (prints[$1].count, usable[$1], $0) < (prints[$0].count, usable[$0], $1)
        }
        var kept: [Int] = []
        var copies: [Copy] = []
        for index in order {
            let overlaps = kept.map { original in
                (original: original, runs: prints[index].filter { prints[original][$0.key] != nil })
            }
            if let most = overlaps.max(by: { $0.runs.count < $1.runs.count }), !most.runs.isEmpty {
                copies.append(
                    Copy(
                        index: index, original: most.original, shared: most.runs.count, runs: prints[index].count,
                        example: most.runs.values.min() ?? ""))
            } else {
                kept.append(index)
            }
        }
        self.copies = copies.sorted { $0.index < $1.index }
    }

    /// Everything that was measured; `nil` for a run that measured nothing. The id alone says little: it names the
    /// second in which an invocation began. Status and reason change when an invocation is resumed.
    private static func print(of run: RunRecord) -> String? {
        guard run.operations > 0 else { return nil }
        var run = run
        (run.status, run.reason, run.warnings) = (.ok, "", "")
        return run.csvRow()
    }
}
