import Records

/// Reads and compares `calls.csv`.
enum StoredCalls {
    static let file = "calls.csv"

    /// The calls of a folder's runs; empty where there is no such file, as in folders of before it. They explain what
    /// the rows say and decide little, so that where both disagree the rows have the word.
    static func rows(_ folder: String, of runs: [RunRecord]) throws -> [CallRow] {
        try FolderCheck(folder, runs).calls(leavesOutContradictions: true) ?? []
    }

    /// Prints which calls appeared or went between two folders, and says so if different sources counted them.
    static func compare(base: String, _ baseRows: [RunRecord], new: String, _ newRows: [RunRecord]) throws {
        if let note = differentCallSources(base: baseRows, new: newRows) { complain(note) }
        show(
            CallDifference.between(
                base: baseRows, try rows(base, of: baseRows), new: newRows, try rows(new, of: newRows)))
    }

    /// Prints what differs, if anything does.
    static func show(_ differences: [CallDifference]) {
        guard !differences.isEmpty else { return }
        print("System calls per operation that appeared (+) or went (-):")
        for line in CallDifference.lines(differences) { say(line, indent: 2) }
        print()
    }
}
