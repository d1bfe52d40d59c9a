import Histogram
import Meters
import Records

/// One queue for all workers against one for each.
///
/// 1. 64 connections, four workers; messages come at random, each takes 2 ms of a worker on average, exponentially
///    distributed and asleep; the rate is 70 % of what four workers can do.
/// 2. Combined: one set, all workers wait on it. Partitioned: a set each with a quarter of the connections. Both with
///    EPOLLONESHOT, so that nothing else differs and a connection is with one worker at a time.
/// 3. Both run in turn, four times; the latencies of the rounds are added up. They count from the scheduled start.
///
/// Queueing theory has for four queues with one server each a mean of 6.7 ms and a 99th percentile of 31 ms, for one
/// queue with four servers 2.7 ms and 11 ms (M/M/1 and M/M/4); waking up and the loop come on top.
extension Experiment {
    static let readCombinedQueue = Experiment(
        id: "read-combined-queue",
        statement: "one queue for all workers gives a better mean and a better tail than a queue for each",
        source: .m1,
        conditions: Conditions(shortfall: { observed in
            Conditions.fewer(observed, "messages", than: 3000, "messages of about 3 900")
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
        judge: { observed in
            let better = ["p99_ns", "mean_ns"].filter { isBetter(observed, $0) }.count
            return better == 2 ? .holds : better == 1 ? .depends : .doesNotHold
        },
        explain: { observed in
            "99 % within \(milliseconds(observed, "combined_p99_ns")) ms from one queue, within "
                + "\(milliseconds(observed, "partitioned_p99_ns")) ms from four."
        })
}

private let rounds = 4
private let workers = 4
private let meanServiceNanoseconds: UInt64 = 2_000_000
private let load = 0.7

private func measureQueue(_ topology: Topology, seed: Int) throws -> Histogram<UInt64> {
    var plan = try RunPlan(.read, named: "epoll-oneshot", topology, milliseconds: 700)
    plan.workers = workers
    plan.depth = 64
    plan.seed = UInt64(seed)
    plan.load = .openLoop(perSecond: load * Double(workers) * 1e9 / Double(meanServiceNanoseconds))
    plan.spacing = .poisson
    plan.service = ServiceTime(distribution: .exponential(mean: meanServiceNanoseconds), work: .sleep)
    return try experimentRun(plan).latencies
}

/// True if the combined queue is better by more than a tenth.
private func isBetter(_ observed: Observed, _ key: String) -> Bool {
    guard let combined = observed.number("combined_\(key)"), let partitioned = observed.number("partitioned_\(key)")
    else { return false }
    return combined < 0.9 * partitioned
}

private func milliseconds(_ observed: Observed, _ key: String) -> String {
    "\(((observed.number(key) ?? 0) / 1e5).rounded() / 10)"
}
