package import SystemPackage

/// A run that could not be carried out: the call that failed, and why.
package struct RunError: Error, Codable, CustomStringConvertible {
    /// One line: the call and the meaning of its error number.
    package let description: String
    /// What the call returned; nil for what is not allowed here.
    package var error: Errno?
    /// True if this kernel, or its configuration, does not allow what was asked for.
    package var isUnsupported = false

    package init(_ call: String, _ error: Errno) {
        description = "\(call): \(error)"
        self.error = error
    }

    package init(failed description: String) {
        self.description = description
    }

    package init(unsupported description: String) {
        self.description = description
        isUnsupported = true
    }
}
