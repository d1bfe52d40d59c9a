/// What must have been so while an experiment ran whose verdict hangs on times, shares or the absence of something.
///
/// A busy or slow machine changes such an observation as the kernel would. Then there is no verdict rather than a wrong
/// one.
struct Conditions: Sendable {
    /// The key of the share of its time, in per cent, for which a thread that was due did not run: see ``Pacer``.
    static let heldUpKey = "held_up_percent"

    /// More than this of ``heldUpKey`` is too much.
    var heldUpLimit = 20.0
    /// True if what was seen decides, whatever was missing: a busy machine cannot have made it up.
    var isDecisive: @Sendable (Observed) -> Bool = { _ in false }
    /// Why the load was not reached or too little was seen, in one line; nil if that is well.
    var shortfall: @Sendable (Observed) -> String? = { _ in nil }

    /// What was missing, in one line; nil if nothing that matters was.
    func missing(_ observed: Observed) -> String? {
        if isDecisive(observed) { return nil }
        if let shortfall = shortfall(observed) { return shortfall }
        guard let heldUp = observed.number(Self.heldUpKey), heldUp > heldUpLimit else { return nil }
        return "threads waited for a processor \(Int(heldUp.rounded())) % of the time, and more than "
            + "\(Int(heldUpLimit)) % is too much; end other work and try again"
    }

    /// The shortfall of a count that is below the least that tells something.
    static func fewer(_ observed: Observed, _ key: String, than least: Int, _ what: String) -> String? {
        let count = observed.integer(key) ?? 0
        guard count < least else { return nil }
        return "\(count) \(what) were seen and \(least) are needed: the load was not reached"
    }
}

/// Why an experiment that can be made here came to nothing this time.
struct Undecided: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
