/// A variant of a mode, and the mode without it: what a feature is worth is the ratio of the two.
package struct Feature: Sendable {
    /// The variant's name.
    package let name: String
    /// The name of the mode that it is a variant of.
    package let base: String
    /// The first kernel that has it.
    package let kernel: String
    /// What it does.
    package let summary: String

    package init(name: String, base: String, kernel: String, summary: String) {
        (self.name, self.base, self.kernel, self.summary) = (name, base, kernel, summary)
    }
}
