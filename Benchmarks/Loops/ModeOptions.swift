extension Mode {
    /// How a loop waits and what its ring is, as far as that can be chosen: what tells a variant from its base, and what
    /// the command line sets for every mode that can. The defaults are what a mode does that is no variant.
    package struct Options: Sendable, Hashable {
        /// What the command line has set, as the column `options` says it: `spin=50us;wait_for=16`.
        package var text: String { "" }
    }
}
