import Histogram
import Meters
import Records

/// Whether one worker on one processor can accept 40 000 connections a second.
///
/// 1. One worker waits level-triggered; it has a processor of its own where there are two.
/// 2. A client starts a connection every 25 us for 3 s, whatever the server does, and waits for each to be closed.
/// 3. Served is what was closed in the window of 3 s, offered what the client had scheduled in it, whether it was
///    answered, failed, was never answered or could not even start; latencies count from the scheduled start.
///
/// On loopback the client's thread carries out the handshake, so that a client that falls behind says nothing of the
/// server: the verdict then depends, unless the worker used up its processor. `foreign_cpu_percent` is what other
/// programs took of the machine meanwhile, `server_ns_per_accept` what a connection cost the worker, which tells how
/// many one processor would carry where they could not be offered.
extension Experiment {
    static let accept40k = Experiment(
        id: "accept-40k", statement: "40 000 accepts a second are more than one processor gives", source: .t,
        keys: ["offered", "served", "p99_ns", "server_cpu_percent"],
        observe: {
            var plan = try RunPlan(.accept, named: "epoll-lt", .setPerWorker, milliseconds: 3_000)
            plan.workers = 1
            plan.connections = 1024
            plan.load = .openLoop(perSecond: perSecond)
            plan.placement = .automatic(workers: 1, clients: 1)
            let measurement = try experimentRun(plan, mayLose: true)
            let used = Double(measurement.server.cpuNanoseconds) / Double(measurement.durationNanoseconds)
            let served = measurement.perWorker.reduce(0, +)
            return [
                "offered": measurement.latencies.totalCount + measurement.clientErrors + measurement.lost,
                "served": served,
                "p99_ns": measurement.latencies.valueAtPercentile(99),
                "server_cpu_percent": Int((100 * used).rounded()),
                "foreign_cpu_percent": Int((100 * measurement.foreignShare).rounded()),
                "server_ns_per_accept": measurement.server.cpuNanoseconds / max(served, 1),
            ]
        },
        judge: { observed in
            guard let offered = observed.number("offered"), let served = observed.number("served") else {
                return .unsupported
            }
            if served >= 0.99 * offered { return .doesNotHold }
            return (observed.number("server_cpu_percent") ?? 0) >= 90 ? .holds : .depends
        },
        explain: { observed in
            let share = (observed.number("served") ?? 0) / max(observed.number("offered") ?? 1, 1)
            let percent = Int(min(100 * share, 100).rounded(.down))
            let foreign = observed.integer("foreign_cpu_percent") ?? 0
            return "One worker served \(percent) % of 40 000 connections a second and used "
                + "\(observed["server_cpu_percent"] ?? "") % of a processor"
                + (foreign < 10 ? "." : "; other programs took \(foreign) % of the machine.")
        })
}

private let perSecond = 40_000.0
