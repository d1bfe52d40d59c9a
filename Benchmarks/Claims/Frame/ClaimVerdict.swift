/// What an observation says about a statement.
package enum ClaimVerdict: String, Sendable, CaseIterable {
    case holds
    case doesNotHold = "does-not-hold"
    /// The statement is true of a part of what was observed.
    case depends
    /// It can be observed here, but was not this time: the load was not reached, too little was seen, or threads
    /// waited for a processor; the detail says what was missing.
    case notObservable = "not-observable"
    /// This kernel, this user or the limits do not allow the experiment; the detail says what it needs.
    case unsupported

    init(holds: Bool) { self = holds ? .holds : .doesNotHold }

    /// The verdict on a statement of several parts: it depends if only some of them are true.
    init(parts: [Bool]) {
        self = parts.allSatisfy(\.self) ? .holds : parts.contains(true) ? .depends : .doesNotHold
    }
}
