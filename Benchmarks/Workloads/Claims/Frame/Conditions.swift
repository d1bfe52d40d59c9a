/// What must have been so while an experiment ran whose verdict hangs on times, shares or the absence of something.
///
/// A busy or slow machine changes such an observation as the kernel would. Then there is no verdict rather than a wrong
/// one.
struct Conditions: Sendable {
    /// The key of the share of its time, in per cent, for which a thread that was due did not run: see ``Pacer``.
    static let heldUpKey = "held_up_percent"

    /// The key of the share of the machine that other programs used, in per cent.
    static let foreignKey = "foreign_cpu_percent"
    /// The key that is there, and 1, where the program is not optimised.
    static let debugKey = "debug_build"
    /// What a time may be disturbed by, in per cent, if its length is to decide.
    static let quietPercent = 5.0

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

    /// Why a time that reached a threshold may have done so by the machine's or the build's doing; nil if neither.
    static func slowed(_ observed: Observed, _ seconds: Double?, beyond threshold: Double) -> String? {
        guard let seconds, seconds >= threshold else { return nil }
        if observed[debugKey] == "1" {
            return "a debug build is slow of itself, so a long time says nothing: swift build -c release"
        }
        let (heldUp, foreign) = (observed.number(heldUpKey) ?? 0, observed.number(foreignKey) ?? 0)
        if foreign > quietPercent {
            return "other programs used \(Int(foreign.rounded())) % of the processors, and more than "
                + "\(Int(quietPercent)) % is too much; end other work and try again"
        }
        guard seconds * (1 - (heldUp + foreign) / 100) < threshold else { return nil }
        return
            "it took \(seconds) s, and \(Int((heldUp + foreign).rounded())) % of that may be the machine's doing; end "
            + "other work and try again"
    }

    /// The shortfall of a count that is below the least that tells something.
    static func fewer(_ observed: Observed, _ key: String, than least: Int, _ what: String) -> String? {
        let count = observed.integer(key) ?? 0
        guard count < least else { return nil }
        return "\(count) \(what) were seen and \(least) are needed: the load was not reached"
    }
}

extension Observed {
    /// Notes what a time has to be judged by: see ``Conditions/slowed(_:_:beyond:)``.
    mutating func noteDisturbance(foreign share: Double) {
        self[Conditions.foreignKey] = "\(Int((100 * share).rounded()))"
        #if DEBUG
            self[Conditions.debugKey] = "1"
        #endif
    }
}

/// Why an experiment that can be made here came to nothing this time.
struct Undecided: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
