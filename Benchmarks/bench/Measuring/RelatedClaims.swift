import Claims
import Loops
import Records
import Reports

/// A claim whose outcome has to be known before a mode does a kind of work.
struct RelatedClaim {
    let claim: String
    let workloads: Set<String>
    let modes: Set<String>
    /// Any where nil.
    var topology: String?
    var listener: String?
    /// The verdict that needs no word.
    var harmless = ClaimVerdict.doesNotHold

    private static let accepting: Set<String> = ["accept", "crr"]
    private static let reading: Set<String> = ["read"]

    /// Those that take a second or two at the most.
    static let all = [
        RelatedClaim(
            claim: "accept-balance-uring-multishot", workloads: accepting, modes: ["uring-multishot", "uring-direct"],
            listener: "shared", harmless: .holds),
        RelatedClaim(
            claim: "accept-lt-set-per-worker", workloads: accepting,
            modes: ["select", "poll", "epoll-lt", "interest-set"],
            topology: "set-per-worker", listener: "shared"),
        RelatedClaim(
            claim: "accept-et-set-per-worker", workloads: accepting, modes: ["epoll-et"], topology: "set-per-worker",
            listener: "shared"),
        RelatedClaim(
            claim: "accept-lt-shared-set", workloads: accepting, modes: ["epoll-lt"], topology: "shared-set",
            listener: "shared"),
        RelatedClaim(
            claim: "accept-exclusive-shared-set", workloads: accepting, modes: ["epoll-exclusive"],
            topology: "shared-set", listener: "shared", harmless: .holds),
        RelatedClaim(
            claim: "accept-balance-exclusive", workloads: accepting, modes: ["epoll-exclusive", "epoll-et-exclusive"],
            topology: "set-per-worker", listener: "shared", harmless: .holds),
        RelatedClaim(
            claim: "uring-poll-multishot-wakeups", workloads: accepting, modes: ["uring-poll"], listener: "shared"),
        RelatedClaim(
            claim: "accept-oneshot-serial", workloads: accepting, modes: ["epoll-oneshot"], topology: "shared-set",
            listener: "shared"),
        RelatedClaim(
            claim: "reuseport-close-loss", workloads: accepting, modes: Set(Mode.all.map(\.name)), listener: "reuseport"
        ),
        RelatedClaim(claim: "scale-wait-cost", workloads: reading, modes: ["select", "poll"]),
        RelatedClaim(
            claim: "read-order-lt", workloads: reading, modes: ["epoll-lt"], topology: "shared-set"),
        RelatedClaim(
            claim: "read-order-exclusive", workloads: reading, modes: ["epoll-exclusive"], topology: "shared-set"),
        RelatedClaim(
            claim: "read-order-et", workloads: reading, modes: ["epoll-et"], topology: "shared-set"),
        RelatedClaim(
            claim: "uring-close-pending-recv", workloads: reading, modes: ["uring-single", "uring-multishot"],
            harmless: .holds),
    ]

    /// More would be a page, and take longer than a race spares.
    private static let most = 4
    private static let limitSeconds = 5.0

    /// Tries those that tell of what a choice recommends or warns of, and returns what has to be said.
    static func observe(_ choice: Choice, until isInterrupted: () -> Bool) throws -> [Choice.Observation] {
        let concerned = all.map { claim in (claim, choice.notable.filter { claim.concerns(choice.arms[$0].arm) }) }
        var found: [Choice.Observation] = []
        for (claim, arms) in concerned.filter({ !$0.1.isEmpty }).prefix(most) where !isInterrupted() {
            guard let experiment = Experiment.named(claim.claim) else { continue }
            let (result, ended) = try experiment.run(within: limitSeconds)
            let silent: [ClaimVerdict] = [claim.harmless, .notObservable, .unsupported]
            if !silent.map(\.rawValue).contains(result.record.verdict) {
                found.append(Choice.Observation(arms: arms, claim: result.record))
            }
            // What did not end would disturb the others.
            if !ended { break }
        }
        return found
    }

    func concerns(_ arm: Arm) -> Bool {
        workloads.contains(arm["workload"]) && modes.contains(arm["mode"])
            && (topology.map { $0 == arm["topology"] } ?? true) && (listener.map { $0 == arm["listener"] } ?? true)
    }
}
