import Meters
import Records

/// Whether the pieces of a connection's stream are handled in the order in which they came, with four workers.
///
/// 1. Four connections; 64-byte messages come at random, 5 000 a second over all, whatever the server does. Each
///    message carries its number.
/// 2. A worker reads what has come, and works on each message for 100 us on average, exponentially distributed and
///    asleep, so that two processors are enough for four workers.
/// 3. When it is done with what it read, it looks whether another worker was done with a later piece of the same
///    connection meanwhile: then this one is out of order.
///
/// Nothing is pinned. Within one set EPOLLEXCLUSIVE has nothing to choose between: the set wakes one waiter anyway. And
/// with a set per worker this workload gives each connection to one of them, so that the flag has nothing to choose
/// between there either; `read-exclusive-split` puts one connection into two sets.
extension Experiment {
    /// What is said of the order.
    enum OrderClaim {
        case kept, broken
    }

    static func order(
        _ name: String, _ mode: String, _ topology: Topology, _ claim: OrderClaim, _ statement: String
    ) -> Experiment {
        Experiment(
            id: "read-order-\(name)", statement: statement, source: .m1,
            // One piece out of order is one, however few there were.
            conditions: Conditions(
                isDecisive: { ($0.integer("out_of_order") ?? 0) > 0 },
                shortfall: { observed in
                    Conditions.fewer(observed, "chunks", than: 1000, "pieces of about 2 300")
                }),
            keys: ["chunks", "out_of_order"],
            observe: {
                var plan = try RunPlan(.read, named: mode, topology, milliseconds: 500)
                plan.connections = 4
                plan.depth = 64
                plan.load = .openLoop(perSecond: 5_000)
                plan.spacing = .poisson
                plan.service = ServiceTime(distribution: .exponential(mean: 100_000), work: .sleep)
                let totals = try experimentRun(plan).totals
                return ["chunks": totals[.chunks, default: 0], "out_of_order": totals[.outOfOrder, default: 0]]
            },
            judge: { observed in
                (observed.integer("out_of_order") == 0) == (claim == .kept) ? .holds : .doesNotHold
            },
            explain: { observed in
                "\(observed["out_of_order"] ?? "") of \(observed["chunks"] ?? "") pieces were handled after a later "
                    + "piece of the same connection."
            })
    }
}
