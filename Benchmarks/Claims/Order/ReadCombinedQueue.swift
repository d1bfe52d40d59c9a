import Histogram
import Load
import Loops
import Meters
import Records
import Runs

/// One queue for all workers against one for each.
///
/// 1. 64 connections, four workers; messages come at random, each takes 2 ms of a worker on average, exponentially
///    distributed and asleep; the rate is 70 % of the capacity of four workers.
/// 2. Combined: one set, all workers wait on it. Partitioned: a set each with a quarter of the connections. Both with
///    EPOLLONESHOT, so that nothing else differs and a connection is with one worker at a time.
/// 3. Both run in turn, four times; the latencies of the rounds are added up. They count from the scheduled start.
///
/// Queueing theory gives for four queues with one server each a mean of 6.7 ms and a 99th percentile of 31 ms, for one
/// queue with four servers 2.7 ms and 11 ms (M/M/1 and M/M/4); wakeups and the loop come on top.
let readCombinedQueue = Experiment(
    id: "read-combined-queue",
    statement: "one queue for all workers gives a better mean and a better tail than a queue for each",
    source: .m1,
    conditions: Conditions(shortfall: {
        Conditions.fewer($0, "messages", than: 3000, "messages of about 3 900")
    }),
    keys: ["combined_p99_ns", "partitioned_p99_ns", "combined_mean_ns", "partitioned_mean_ns"],
    observe: {
        var combined = LatencyRecorder().histogram
        var partitioned = LatencyRecorder().histogram
        for round in 1...rounds {
            combined.add(try measureQueue(.sharedSet, seed: round))
            partitioned.add(try measureQueue(.setPerWorker, seed: round))
        }
        return [
            "combined_p99_ns": combined.valueAtPercentile(99),
            "partitioned_p99_ns": partitioned.valueAtPercentile(99),
            "combined_mean_ns": Int(combined.mean), "partitioned_mean_ns": Int(partitioned.mean),
            "rounds": rounds, "messages": min(combined.totalCount, partitioned.totalCount),
        ]
    },
    // Better is better by more than a tenth.
    judge: { observed in
        .init(
            parts: ["p99_ns", "mean_ns"].map {
                observed["combined_\($0)"].number < 0.9 * observed["partitioned_\($0)"].number
            })
    },
    explain: { observed in
        func milliseconds(_ key: String) -> Double { (observed[key].number / 1e5).rounded() / 10 }
        return "99 % within \(milliseconds("combined_p99_ns")) ms from one queue, within "
            + "\(milliseconds("partitioned_p99_ns")) ms from four."
    })

private let rounds = 4
private let workers = 4
private let meanServiceNanoseconds: UInt64 = 2_000_000
private let load = 0.7

private func measureQueue(_ topology: Topology, seed: Int) throws -> Histogram<UInt64> {
    var plan = try RunPlan(.read, named: "epoll-oneshot", topology, milliseconds: 700)
    plan.server.workers = workers
    plan.load.depth = 64
    plan.loop.seed = UInt64(seed)
    plan.load.pace = .openLoop(perSecond: load * Double(workers) * 1e9 / Double(meanServiceNanoseconds))
    plan.load.spacing = .poisson
    plan.server.service = ServiceTime(distribution: .exponential(mean: meanServiceNanoseconds), work: .sleep)
    return try experimentRun(plan).latencies
}
