import LinuxSockets
import Meters
import SystemPackage

/// A server that is restarted all the time: SO_REUSEPORT lets the new one listen before the old one closes.
///
/// 1. Clients connect all the time, and a listener is served every millisecond.
/// 2. Every 20 ms, 15 times, a new listener on the same port is added and the old one closed at once.
/// 3. Those who waited at the old one are lost.
/// 4. The same once more, accepting until EAGAIN before the close (`served_drained`, `lost_drained`). Between the last
///    accept and the close another connection can come, so that this makes losses rare and not impossible.
extension Experiment {
    static let reuseportRestart = Experiment(
        id: "reuseport-restart",
        statement: "a listener that is replaced by another on the same port loses the connections in its queue",
        source: .t,
        conditions: Conditions(
            isDecisive: { ($0.integer("lost") ?? 0) > 0 },
            shortfall: { observed in
                Conditions.fewer(observed, "served", than: 100, "connections served")
            }),
        keys: ["served", "lost"],
        observe: {
            let atOnce = try restart(draining: false)
            let drained = try restart(draining: true)
            return [
                "served": atOnce.served, "lost": atOnce.lost, "served_drained": drained.served,
                "lost_drained": drained.lost, "restarts": restarts,
            ]
        },
        judge: { ($0.integer("lost") ?? 0) > 0 ? .holds : .doesNotHold },
        explain: { observed in
            let drained = observed["lost_drained"].map { "; \($0) when accepting until EAGAIN before each close" }
            return "\(restarts) restarts lost \(observed["lost"] ?? "") of "
                + "\((observed.integer("served") ?? 0) + (observed.integer("lost") ?? 0)) connections\(drained ?? "")."
        })
}

private let restarts = 15

private func restart(draining: Bool) throws -> ReuseportClients.Tally {
    try withReuseportClients(of: try ReuseportGroup(count: 1)) { group, clients in
        for _ in 1...restarts {
            try group.serve([0], for: 20_000_000)
            try group.add()
            if draining { _ = try group.serve(0) }
            group.close(0)
        }
        clients.stop()
        while !clients.isDone { try group.serve([0], for: 1_000_000) }
        return try clients.tally()
    }
}
