import Histogram
import Load
import Loops
import Meters
import Records
import Runs

/// Whether one worker on one processor can accept 40 000 connections a second.
///
/// 1. One worker waits level-triggered, on a processor of its own.
/// 2. A client starts a connection every 25 us for 3 s, whatever the server does, and waits for each to be closed.
/// 3. Served is what was closed in the window of 3 s, offered what the schedule had in it, answered or not; latencies
///    count from the scheduled start.
/// 4. The same with the client on the worker's processor (`same_cpu_offered`, `same_cpu_served`).
///
/// On loopback the client's thread carries out the handshake, the server's side of it included, so that in the first
/// run a second processor does a part of the server's work; in the second run one processor does it all, and the
/// client's part too. So one processor is enough only if the second run is served, and too little only if the first one
/// is not, with the worker's processor fully used; otherwise it depends on the second processor.
///
/// `foreign_cpu_percent` is the share of the machine that other programs used during the first run,
/// `server_ns_per_accept` the worker's CPU time per connection in it.
let accept40k = Experiment(
    id: "accept-40k", statement: "40 000 accepts a second are more than one processor gives", source: .t,
    // Other programs can neither serve connections nor use the CPU time of the worker.
    conditions: Conditions(isDecisive: { judge40k($0) != .depends }),
    keys: ["offered", "served", "p99_ns", "server_cpu_percent", "same_cpu_offered", "same_cpu_served"],
    observe: {
        let processors = Affinity.available()
        guard processors.count >= 2 else { throw Unobservable("needs two processors, one for the client") }
        let apart = try acceptRun(.automatic(workers: 1, clients: 1))
        let processor = Array(processors.prefix(1))
        let together = try acceptRun(Placement(workers: processor, clients: processor))
        let used = Double(apart.server.cpuNanoseconds) / Double(apart.durationNanoseconds)
        return [
            "offered": offered(apart), "served": served(apart),
            "p99_ns": apart.latencies.valueAtPercentile(99),
            "server_cpu_percent": Int((100 * used).rounded()),
            "same_cpu_offered": offered(together), "same_cpu_served": served(together),
            "same_cpu_p99_ns": together.latencies.valueAtPercentile(99),
            "foreign_cpu_percent": Int((100 * (apart.foreignShare ?? 0)).rounded()),
            "server_ns_per_accept": apart.server.cpuNanoseconds / max(served(apart), 1),
        ]
    },
    judge: judge40k,
    explain: { observed in
        let foreign = observed[Conditions.foreignKey]
        return "Of 40 000 connections a second one processor served \(percent(share(observed, "same_cpu_"))), "
            + "handshakes and client included, and \(percent(share(observed))) where a second processor took the "
            + "client and its handshakes; accepting used \(observed["server_cpu_percent"]) % of the first"
            + (foreign.number < 10 ? "." : ", while other programs took \(foreign) % of the machine.")
    })

private let perSecond = 40_000.0

private func judge40k(_ observed: Observed) -> ClaimVerdict {
    if share(observed, "same_cpu_") >= 0.99 { return .doesNotHold }
    let isUsedUp = observed["server_cpu_percent"].number >= 90
    return share(observed) < 0.99 && isUsedUp ? .holds : .depends
}

private func acceptRun(_ placement: Placement) throws -> Measurement {
    var plan = try RunPlan(.accept, named: "epoll-lt", .setPerWorker, milliseconds: 3_000)
    plan.server.workers = 1
    plan.load.connections = 1024
    plan.load.pace = .openLoop(perSecond: perSecond)
    plan.loop.placement = placement
    return try experimentRun(plan, mayLose: true)
}

private func offered(_ measurement: Measurement) -> UInt64 {
    UInt64(perSecond * Double(measurement.durationNanoseconds) / 1e9)
}

private func served(_ measurement: Measurement) -> UInt64 { measurement.perWorker.reduce(0, +) }

private func share(_ observed: Observed, _ run: String = "") -> Double {
    observed["\(run)served"].number / max(observed["\(run)offered"].number, 1)
}

private func percent(_ share: Double) -> String { "\(Int(min(100 * share, 100).rounded(.down))) %" }
