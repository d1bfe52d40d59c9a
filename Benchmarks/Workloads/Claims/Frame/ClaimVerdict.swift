/// What an observation says about a statement.
public enum ClaimVerdict: String, Sendable, CaseIterable {
    /// The kernel does what the statement says.
    case holds
    /// The kernel does something else.
    case doesNotHold = "does-not-hold"
    /// The statement is true of a part of what was observed.
    case depends
    /// Nothing could be observed here; the detail says why.
    case unsupported
}
