/// What must have been true while an experiment ran for its verdict to mean anything, where times, shares or the
/// absence of something decide.
///
/// A busy or slow machine changes such an observation as the kernel would. Then there is no verdict.
struct Conditions: Sendable {
    /// The key of the share of time, in per cent, for which a thread that was due did not run:
    /// ``withHeldUpPercent(_:)``.
    static let heldUpKey = "held_up_percent"
    /// The key of the share of the machine that other programs used, in per cent.
    static let foreignKey = "foreign_cpu_percent"
    /// The key that is present, and 1, in a debug build.
    static let debugKey = "debug_build"
    /// The largest disturbance, in per cent, at which a time decides.
    static let quietPercent = 5.0

    var heldUpLimit = 20.0
    /// True if what is compared is mostly this program's own code, which takes longest in a debug build.
    var needsOptimisation = false
    /// True if the observation decides, whatever was missing: a busy machine cannot have caused it.
    var isDecisive: @Sendable (Observed) -> Bool = { _ in false }
    /// Why the load was not reached or too little was seen, in one line; nil otherwise.
    var shortfall: @Sendable (Observed) -> String? = { _ in nil }

    /// What was missing, in one line; nil if nothing that matters was.
    func missing(_ observed: Observed) -> String? {
        if isDecisive(observed) { return nil }
        if needsOptimisation && observed[Self.debugKey] == true { return Self.debugReason }
        if let shortfall = shortfall(observed) { return shortfall }
        let heldUp = observed[Self.heldUpKey].number
        guard heldUp > heldUpLimit else { return nil }
        return "threads waited for a processor \(whole(heldUp)) % of the time, and more than "
            + "\(whole(heldUpLimit)) % is too much; end other work and try again"
    }

    static let debugReason = "a debug build's own code takes longer than what it calls: swift build -c release"

    /// Why a time that reached a threshold may have done so because of the machine or the build; nil if neither.
    static func slowed(_ observed: Observed, _ seconds: Double, beyond threshold: Double) -> String? {
        guard seconds >= threshold else { return nil }
        if observed[debugKey] == true {
            return "a debug build is slow of itself, so a long time says nothing: swift build -c release"
        }
        let shares = [heldUpKey, foreignKey].map { observed[$0].number }
        if shares[1] > quietPercent {
            return "other programs used \(whole(shares[1])) % of the processors, and more than "
                + "\(whole(quietPercent)) % is too much; end other work and try again"
        }
        let disturbed = shares.filter { !$0.isNaN }.reduce(0, +)
        guard seconds * (1 - disturbed / 100) < threshold else { return nil }
        return "it took \(seconds) s, and \(whole(disturbed)) % of that may be the machine's doing; end other work "
            + "and try again"
    }

    /// The shortfall of a count that is below the least that tells something.
    static func fewer(_ observed: Observed, _ key: String, than least: Int, _ what: String) -> String? {
        let count = observed[key].number
        guard !(count >= Double(least)) else { return nil }
        return "\(whole(count)) \(what) were seen and \(least) are needed: the load was not reached"
    }
}

private func whole(_ value: Double) -> Int { value.isNaN ? 0 : Int(value.rounded()) }

extension Observed {
    /// Notes what a time is judged by: ``Conditions/slowed(_:_:beyond:)``.
    mutating func noteDisturbance(foreign share: Double) {
        self[Conditions.foreignKey] = Int((100 * share).rounded()).observed
        noteBuild()
    }

    /// Notes a debug build.
    mutating func noteBuild() {
        #if DEBUG
            self[Conditions.debugKey] = true
        #endif
    }
}
