/// What an observation says about a statement.
public enum ClaimVerdict: String, Sendable, CaseIterable {
    /// The kernel does what the statement says.
    case holds
    /// The kernel does something else.
    case doesNotHold = "does-not-hold"
    /// The statement is true of a part of what was observed.
    case depends
    /// It could be observed here, but not this time: the load was not reached, too little was seen, or threads waited
    /// for a processor; the detail says what was missing.
    case notObservable = "not-observable"
    /// This kernel, this user or the limits do not allow the experiment; the detail says what it needs.
    case unsupported
}
