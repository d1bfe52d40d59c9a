import Claims
import Meters
import Records
import Reports

/// A claim whose outcome has to be known before a mode does a kind of work.
struct RelatedClaim {
    let claim: String
    let workloads: Set<String>
    /// Any where nil, as of the two below.
    var modes: Set<String>?
    var topology: String?
    var listener: String?
    /// Whether it tells nothing of a single worker.
    var needsSeveral = true
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
            claim: "reuseport-close-loss", workloads: accepting, listener: "reuseport"),
        RelatedClaim(claim: "scale-wait-cost", workloads: reading, modes: ["select", "poll"], needsSeveral: false),
        RelatedClaim(
            claim: "read-order-lt", workloads: reading, modes: ["epoll-lt"], topology: "shared-set"),
        RelatedClaim(
            claim: "read-order-exclusive", workloads: reading, modes: ["epoll-exclusive"], topology: "shared-set"),
        RelatedClaim(
            claim: "read-order-et", workloads: reading, modes: ["epoll-et"], topology: "shared-set"),
        RelatedClaim(
            claim: "uring-close-pending-recv", workloads: reading, modes: ["uring-single", "uring-multishot"],
            needsSeveral: false, harmless: .holds),
    ]

    /// More would be a page.
    private static let most = 4

    /// Tries those that tell of what a choice recommends or warns of, the recommended first, and returns what has to be said.
    ///
    /// - Parameter seconds: for all of them.
    static func observe(
        _ choice: Choice, within seconds: Double, until isInterrupted: () -> Bool
    ) throws -> [Choice.Observation] {
        let end = monotonicNanoseconds() + UInt64(seconds * 1e9)
        let notable = choice.notable
        let concerned = all.compactMap { claim -> (claim: RelatedClaim, arms: [Int])? in
            let arms = notable.filter { claim.concerns(choice.arms[$0].arm, workers: choice.workers ?? 1) }
            return arms.isEmpty ? nil : (claim, arms)
        }
        func place(_ arms: [Int]) -> Int { notable.firstIndex(of: arms[0]) ?? notable.count }
        let order = concerned.indices.sorted { (place(concerned[$0].arms), $0) < (place(concerned[$1].arms), $1) }
        var found: [Choice.Observation] = []
        for (claim, arms) in order.map({ concerned[$0] }) where found.count < most && !isInterrupted() {
            let now = monotonicNanoseconds()
            guard now < end, let experiment = Experiment.named(claim.claim) else { continue }
            let (result, ended) = try experiment.run(within: Double(end - now) / 1e9)
            let silent: [ClaimVerdict] = [claim.harmless, .notObservable, .unsupported]
            if !silent.map(\.rawValue).contains(result.record.verdict) {
                found.append(Choice.Observation(arms: arms, claim: result.record))
            }
            // What did not end would disturb the others.
            if !ended { break }
        }
        return found
    }

    private func concerns(_ arm: Arm, workers: Int) -> Bool {
        (workers > 1 || !needsSeveral) && workloads.contains(arm["workload"]) && modes?.contains(arm["mode"]) ?? true
            && topology ?? arm["topology"] == arm["topology"] && listener ?? arm["listener"] == arm["listener"]
    }
}
