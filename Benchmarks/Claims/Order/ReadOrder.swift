import Load
import Loops
import Meters
import Records
import Runs

/// Whether the messages of a connection are handled in the order in which they came, with four workers.
///
/// 1. Four connections; 64-byte messages come at random, 5 000 a second over all, whatever the server does. Each
///    message carries its number.
/// 2. A worker reads what has come, a chunk of the stream, and works on each message for 100 us on average,
///    exponentially distributed and asleep, so that two processors are enough for four workers.
/// 3. Then it checks whether another worker has finished a later chunk of the same connection: then this chunk is out
///    of order.
///
/// No thread is pinned. Within one set EPOLLEXCLUSIVE has nothing to choose between: the set wakes one waiter anyway.
/// And with a set per worker each connection is in one set only; `read-exclusive-split` puts one connection into two
/// sets.
let readOrder = [
    ordered(
        "lt", "epoll-lt", isKept: false,
        "level-triggered, one set for all workers: chunks of a connection are handled out of order"),
    ordered(
        "exclusive", "epoll-exclusive", isKept: false,
        "level-triggered with EPOLLEXCLUSIVE, one set: chunks of a connection are still handled out of order"),
    ordered(
        "et", "epoll-et", isKept: false,
        "edge-triggered, one set for all workers: chunks of a connection are handled out of order"),
    ordered(
        "oneshot", "epoll-oneshot", isKept: true,
        "EPOLLONESHOT, armed again after each chunk, keeps the order although all workers share one set"),
    ordered(
        "set-per-worker", "epoll-lt", isKept: true,
        "a set per worker, each with its part of the connections, keeps the order", topology: .setPerWorker),
    ordered("dispatcher", "dispatcher", isKept: true, "a master thread that hands out the work keeps the order"),
]

private func ordered(
    _ name: String, _ mode: String, isKept: Bool, _ statement: String, topology: Topology = .sharedSet
) -> Experiment {
    Experiment(
        id: "read-order-\(name)", statement: statement, source: .m1,
        // One chunk out of order decides, however few there were.
        conditions: Conditions(
            isDecisive: { $0["out_of_order"].number > 0 },
            shortfall: { Conditions.fewer($0, "chunks", than: 1000, "chunks of about 2 300") }),
        keys: ["chunks", "out_of_order"],
        observe: {
            var plan = try RunPlan(.read, named: mode, topology, milliseconds: 500)
            plan.load.connections = 4
            plan.load.depth = 64
            plan.load.pace = .openLoop(perSecond: 5_000)
            plan.load.spacing = .poisson
            plan.server.service = ServiceTime(distribution: .exponential(mean: 100_000), work: .sleep)
            let totals = try experimentRun(plan).totals
            return ["chunks": totals[.chunks, default: 0], "out_of_order": totals[.outOfOrder, default: 0]]
        },
        judge: { .init(holds: ($0["out_of_order"] == 0) == isKept) },
        explain: {
            "\($0["out_of_order"]) of \($0["chunks"]) chunks were handled after a later chunk of the same connection."
        })
}
