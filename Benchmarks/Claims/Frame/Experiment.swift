import Records

/// A statement about the kernel's interfaces, and how it is tested on the running kernel.
package struct Experiment: Sendable {
    package let id: String
    package let statement: String
    package let source: ClaimSource
    var needs: [Need] = []
    /// How many descriptors it opens at the most, apart from those of harness runs in it.
    var descriptors = 40
    /// The conditions for a verdict; nil if neither times nor shares decide, nor what did not happen.
    var conditions: Conditions?
    /// The keys that every observation of it holds; more may follow.
    package let keys: [String]
    /// Throws ``Unobservable`` where this kernel or user cannot, ``Undecided`` where it gave no result.
    let observe: @Sendable () throws -> Observed
    /// The verdict that follows from an observation with all keys. Never looks at anything else.
    let judge: @Sendable (Observed) -> ClaimVerdict
    /// What an observation with all keys means, in one sentence.
    let explain: @Sendable (Observed) -> String

    /// The verdict that follows from an observation: unsupported if a key is absent, not observable if the conditions
    /// for a verdict were not met.
    package func verdict(_ observed: Observed) -> ClaimVerdict {
        guard hasAllKeys(observed) else { return .unsupported }
        return conditions?.missing(observed) == nil ? judge(observed) : .notObservable
    }

    package func finding(_ observed: Observed) -> String {
        guard hasAllKeys(observed) else { return "Not observed: \(observed.detail)" }
        if let missing = conditions?.missing(observed) { return "Not observable here: \(missing)." }
        return explain(observed)
    }

    private func hasAllKeys(_ observed: Observed) -> Bool { keys.allSatisfy { observed[$0] != .absent } }

    func record(_ observed: Observed, _ verdict: ClaimVerdict? = nil, milliseconds: Double = 0) -> ClaimRecord {
        ClaimRecord(
            claim: id, statement: statement, source: source.description,
            verdict: (verdict ?? self.verdict(observed)).rawValue, observed: observed.description,
            detail: observed.detail, durationMs: milliseconds.rounded(),
            finding: finding(observed))
    }
}
