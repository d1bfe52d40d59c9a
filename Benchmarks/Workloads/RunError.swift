import SystemPackage

/// A run that could not be carried out: the call that failed, and why.
public struct RunError: Error, CustomStringConvertible {
    /// One line: the call and the meaning of its error number.
    public let description: String
    /// True if this kernel, or its configuration, does not allow what was asked for.
    public var isUnsupported = false

    init(_ call: String, _ error: Errno) {
        description = "\(call): \(error)"
    }

    init(unsupported description: String) {
        self.description = description
        isUnsupported = true
    }
}
