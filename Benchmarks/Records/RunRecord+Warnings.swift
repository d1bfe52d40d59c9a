extension RunRecord {
    /// Between two of ``warnings``.
    static let warningSeparator = "; "

    /// Adds to ``warnings``, unless it is there already.
    ///
    /// - Parameter text: a short clause without a full stop; a `;` in it becomes a comma, since that separates warnings.
    public mutating func addWarning(_ text: String) {
        let clause = text.replacing(";", with: ",")
        guard !clause.isEmpty, !warningList.contains(clause) else { return }
        warnings += (warnings.isEmpty ? "" : Self.warningSeparator) + clause
    }

    /// ``warnings``, one by one.
    public var warningList: [String] {
        warnings.split(separator: Self.warningSeparator).map(String.init)
    }

    /// True if the server did not keep up with the rate that was offered: its latencies grow with the length of the run.
    public var isSaturated: Bool { saturated == "yes" }
}
