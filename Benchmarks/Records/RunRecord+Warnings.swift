extension RunRecord {
    static let warningSeparator = "; "

    /// Adds to ``warnings``, unless it is there already.
    ///
    /// - Parameter text: a short clause without a full stop; a `;` in it becomes a comma, since that separates warnings.
    package mutating func addWarning(_ text: String) {
        let clause = text.replacing(";", with: ",")
        guard !clause.isEmpty, !warningList.contains(clause) else { return }
        warnings += (warnings.isEmpty ? "" : Self.warningSeparator) + clause
    }

    package var warningList: [String] {
        warnings.split(separator: Self.warningSeparator).map(String.init)
    }
}
