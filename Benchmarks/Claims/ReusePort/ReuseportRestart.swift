import LinuxSockets
import Meters
import SystemPackage

/// A server that is restarted all the time: SO_REUSEPORT lets the new one listen before the old one closes.
///
/// Clients connect all the time, and a listener is served every millisecond. Every 20 ms, 15 times, a new listener on
/// the same port is added and the old one closed: at once, or after accepting until EAGAIN (`served_drained`,
/// `lost_drained`). Between the last accept and the close another connection can come, so that draining makes losses
/// rare and not impossible.
let reuseportRestart = Experiment(
    id: "reuseport-restart",
    statement: "a listener that is replaced by another on the same port loses the connections in its queue",
    source: .t,
    conditions: Conditions(
        isDecisive: { $0["lost"].number > 0 },
        shortfall: { Conditions.fewer($0, "served", than: 100, "connections served") }),
    keys: ["served", "lost"],
    observe: {
        let atOnce = try restart(draining: false)
        let drained = try restart(draining: true)
        return [
            "served": atOnce.served, "lost": atOnce.lost, "served_drained": drained.served,
            "lost_drained": drained.lost, "restarts": restarts,
        ]
    },
    judge: { .init(holds: $0["lost"].number > 0) },
    explain: { observed in
        let drained = observed["lost_drained"]
        return "\(restarts) restarts lost \(observed["lost"]) of "
            + "\(Int(observed["served"].number + observed["lost"].number)) connections"
            + (drained == .absent ? "." : "; \(drained) when accepting until EAGAIN before each close.")
    })

private let restarts = 15

private func restart(draining: Bool) throws -> ReuseportClients.Tally {
    try withReuseportClients(of: try ReuseportGroup(count: 1)) { group, clients in
        for _ in 1...restarts {
            try group.serve([0], for: 20_000_000)
            try group.add()
            if draining { _ = try group.serve(0) }
            group.close(0)
        }
        return try clients.finish(with: group)
    }
}
