import Load
import Loops
import Meters
import Records
import Runs
import Statistics

/// How evenly four workers share the connections of one port.
///
/// 1. idle: a connection every 2 ms and no other before it is closed, so that all workers wait when it comes.
/// 2. busy: connections come at random, 800 a second; each takes 3 ms of a worker, asleep: 60 % of the capacity.
/// 3. flood: 64 connections at a time, each followed by the next as soon as it is closed.
///
/// Balance is Jain's index of the connections that each worker closed: 1 for equal shares, 0.25 when one worker got
/// all. Shares are called even from 0.9 on; three times as many connections for one worker as for another, with the
/// others between, stays below that.
///
/// The shares follow from the order in which the kernel searches for a waiter. Sets with EPOLLEXCLUSIVE and rings with
/// a multishot accept keep their place in the listener's wait queue, so the first of them is found again for every
/// connection; a set is passed over while no thread waits on it, but a ring takes completions also while its thread is
/// busy, and so one ring gets everything. Threads that wait on one set are found in last-in, first-out order. Threads
/// that wait in accept, and rings with one accept, queue up anew behind the others for every connection.
let acceptBalance = [
    balance(
        "lt", "epoll-lt", isEven: false,
        "without EPOLLEXCLUSIVE epoll cannot spread the accepts: here level-triggered, with a set per thread"),
    balance(
        "exclusive", "epoll-exclusive", isEven: true,
        "level-triggered with EPOLLEXCLUSIVE: the connections are spread over the workers"),
    balance(
        "oneshot", "epoll-oneshot", isEven: true,
        "edge-triggered with EPOLLONESHOT, armed again for each connection: balanced", topology: .sharedSet),
    balance(
        "blocking", "blocking", isEven: false,
        "threads that wait in accept on one listener get unequal shares, up to three to one", .soreuseport),
    balance(
        "reuseport", "epoll-lt", isEven: true, "SO_REUSEPORT with a listener per worker: balanced", .t,
        listener: .reuseport),
    balance(
        "uring-single", "uring-single", isEven: true,
        "one waiter per connection spreads the work: the same asked of rings with one accept each",
        needs: [.ring]),
    balance(
        "uring-multishot", "uring-multishot", isEven: true,
        "one waiter per connection spreads the work: the same asked of rings with a multishot accept each",
        needs: [.multishotAccept]),
    balance(
        "uring-multishot-reuseport", "uring-multishot", isEven: true,
        "SO_REUSEPORT with a listener per worker: balanced, also for rings with a multishot accept each", .t,
        listener: .reuseport, needs: [.multishotAccept]),
]

private func balance(
    _ name: String, _ mode: String, isEven: Bool, _ statement: String, _ source: ClaimSource = .m1,
    topology: Topology = .setPerWorker, listener: ListenerSharing = .shared, needs: [Need] = []
) -> Experiment {
    Experiment(
        id: "accept-balance-\(name)", statement: statement, source: source, needs: needs,
        conditions: Conditions(shortfall: { observed in loads.lazy.compactMap { $0.shortfall(observed) }.first }),
        keys: loads.map(\.key),
        observe: {
            let runs = try loads.map { load in
                var plan = try RunPlan(.accept, named: mode, topology, milliseconds: load.milliseconds)
                plan.server.listener = listener
                load.apply(&plan)
                return (load: load, shares: try experimentRun(plan).perWorker)
            }
            var observed = Observed()
            for run in runs {
                let jain = jainIndex(run.shares).map { ($0 * 1000).rounded() / 1000 }
                observed[run.load.key] = jain?.observed ?? .absent
            }
            for run in runs { observed[run.load.sharesKey] = .list(run.shares, "/") }
            return observed
        },
        judge: { observed in
            let fitting = loads.filter { $0.isEven(observed) == isEven }.count
            return fitting == loads.count ? .holds : fitting == 0 ? .doesNotHold : .depends
        },
        explain: { observed in
            let even = loads.filter { $0.isEven(observed) }.map(\.name)
            let uneven = loads.filter { !$0.isEven(observed) }.map(\.name)
            if uneven.isEmpty { return "Even shares, idle, busy and flooded." }
            if even.isEmpty { return "Uneven shares, idle, busy and flooded." }
            return "Uneven shares when \(uneven.joined(separator: " and ")), "
                + "even ones when \(even.joined(separator: " and "))."
        })
}

private struct BalanceLoad: Sendable {
    let name: String
    let suffix: String
    let milliseconds: UInt64
    let apply: @Sendable (inout RunPlan) -> Void

    var key: String { "jain_\(suffix)" }
    var sharesKey: String { "shares_\(suffix)" }

    func isEven(_ observed: Observed) -> Bool { observed[key].number >= 0.9 }

    /// Why the shares may be chance: of a hundred connections that go to four workers at random Jain's index is below
    /// 0.9 once in a hundred times; where one worker has most of them, forty are enough.
    func shortfall(_ observed: Observed) -> String? {
        let count = Int(observed[sharesKey].elements.map(\.number).reduce(0, +))
        let least = observed[key].number <= 0.5 ? 40 : 100
        guard count < least else { return nil }
        return "\(count) connections were shared when \(name) and \(least) are needed: the load was not reached"
    }
}

private let loads = [
    BalanceLoad(name: "idle", suffix: "idle", milliseconds: 400) { plan in
        plan.load.connections = 1
        plan.load.pace = .openLoop(perSecond: 500)
    },
    BalanceLoad(name: "busy", suffix: "busy", milliseconds: 400) { plan in
        plan.load.pace = .openLoop(perSecond: 800)
        plan.load.spacing = .poisson
        plan.server.service = ServiceTime(distribution: .fixed(3_000_000), work: .sleep)
    },
    BalanceLoad(name: "flooded", suffix: "flood", milliseconds: 250) { _ in },
]
