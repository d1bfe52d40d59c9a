/// Why an experiment cannot be made on this kernel or by this user.
struct Unobservable: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// Why an experiment that can be made here gave no result this time.
struct Undecided: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// A failed step, without which the experiment means nothing.
struct ScriptError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
