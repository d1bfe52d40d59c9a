import Meters
import Records

/// How evenly four workers share the connections of one port.
///
/// 1. idle: a connection every 2 ms and no other before it is closed, so that all workers wait when it comes.
/// 2. busy: connections come at random, 800 a second; each takes 3 ms of a worker, who sleeps: 60 % of what four do.
/// 3. flood: 64 connections at a time, each followed by the next as soon as it is closed.
///
/// Balance is Jain's index of the connections that each worker closed: 1 for equal shares, 0.25 when one worker got
/// all. Shares are called even from 0.9 on; three times as many connections for one worker as for another, with the
/// others between, stays below that.
///
/// Who gets what follows from the order in which the kernel looks for somebody to wake. Sets with EPOLLEXCLUSIVE and
/// rings with a multishot accept stay in the listener's queue where they are, so the first of them is found again for
/// every connection; a set is passed over while nobody waits on it, but a ring takes completions also while its thread
/// is busy, and so one ring gets everything. Threads that wait on one set are found last come, first served. Threads
/// that wait in accept, and rings with one accept, queue up anew behind the others for every connection.
extension Experiment {
    /// What is said of the shares.
    enum BalanceClaim {
        case even, uneven
    }

    static func balance(
        _ name: String, _ mode: String, _ topology: Topology, _ claim: BalanceClaim, _ statement: String,
        _ source: ClaimSource, listener: ListenerSharing = .shared, needs: [Need] = []
    ) -> Experiment {
        Experiment(
            id: "accept-balance-\(name)", statement: statement, source: source, needs: needs,
            conditions: Conditions(shortfall: { observed in loads.lazy.compactMap { $0.shortfall(observed) }.first }),
            keys: loads.map(\.key),
            observe: {
                var observed = Observed()
                var shareLists = Observed()
                for load in loads {
                    var plan = try RunPlan(.accept, named: mode, topology, milliseconds: load.milliseconds)
                    plan.listener = listener
                    load.apply(&plan)
                    let shares = try experimentRun(plan).perWorker
                    observed[load.key] = jainIndex(shares).map { "\(($0 * 1000).rounded() / 1000)" }
                    shareLists[load.sharesKey] = shares.map(String.init).joined(separator: "/")
                }
                for key in shareLists.keys { observed[key] = shareLists[key] }
                return observed
            },
            judge: { observed in
                let fitting = loads.filter { isEven(observed, $0.key) == (claim == .even) }.count
                return fitting == loads.count ? .holds : fitting == 0 ? .doesNotHold : .depends
            },
            explain: { observed in
                let even = loads.filter { isEven(observed, $0.key) }.map(\.name)
                let uneven = loads.filter { !isEven(observed, $0.key) }.map(\.name)
                if uneven.isEmpty { return "Even shares, idle, busy and flooded." }
                if even.isEmpty { return "Uneven shares, idle, busy and flooded." }
                return "Uneven shares when \(uneven.joined(separator: " and ")), "
                    + "even ones when \(even.joined(separator: " and "))."
            })
    }
}

private func isEven(_ observed: Observed, _ key: String) -> Bool { (observed.number(key) ?? 0) >= 0.9 }

private struct BalanceLoad: Sendable {
    let name: String
    let key: String
    let sharesKey: String
    let milliseconds: UInt64
    let apply: @Sendable (inout RunPlan) -> Void

    /// Why the shares may be chance: of a hundred connections that go to four workers at random Jain's index is below
    /// 0.9 once in a hundred times; where one worker has most of them, forty will do.
    func shortfall(_ observed: Observed) -> String? {
        let shares = observed[sharesKey]?.split(separator: "/").compactMap { Int($0) } ?? []
        let least = (observed.number(key) ?? 1) <= 0.5 ? 40 : 100
        let count = shares.reduce(0, +)
        guard count < least else { return nil }
        return "\(count) connections were shared when \(name) and \(least) are needed: the load was not reached"
    }

    init(_ name: String, _ suffix: String, milliseconds: UInt64, _ apply: @escaping @Sendable (inout RunPlan) -> Void) {
        self.name = name
        key = "jain_\(suffix)"
        sharesKey = "shares_\(suffix)"
        self.milliseconds = milliseconds
        self.apply = apply
    }
}

private let loads = [
    BalanceLoad("idle", "idle", milliseconds: 400) { plan in
        plan.connections = 1
        plan.load = .openLoop(perSecond: 500)
    },
    BalanceLoad("busy", "busy", milliseconds: 400) { plan in
        plan.load = .openLoop(perSecond: 800)
        plan.spacing = .poisson
        plan.service = ServiceTime(distribution: .fixed(3_000_000), work: .sleep)
    },
    BalanceLoad("flooded", "flood", milliseconds: 250) { _ in },
]
