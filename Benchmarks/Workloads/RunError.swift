import SystemPackage

/// A run that could not be carried out: the call that failed, and why.
public struct RunError: Error, CustomStringConvertible {
    /// One line: the call and the meaning of its error number.
    public let description: String

    init(_ call: String, _ error: Errno) {
        description = "\(call): \(error)"
    }

    init(_ description: String) {
        self.description = description
    }
}
