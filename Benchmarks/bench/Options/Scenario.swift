import Records

/// A kind of server: the runs that say which mode suits it, and the figure that decides.
struct Scenario {
    let name: String
    /// What the recommendation is for: `short connections`.
    let subject: String
    /// Options of `bench run` and their values, which the user's replace.
    let options: [(name: String, value: String)]
    /// The column that decides; less is better.
    let score: String
    /// How the score reads after a figure.
    let phrase: String

    /// Every scenario. Servers are offered the same rate, since one that is offered more gets more done for each wakeup;
    /// runs are short, since many of them tell more than a few long ones.
    static let all = [
        Scenario(
            name: "short-connections", subject: "short connections",
            options: [
                ("--workload", "crr"), ("--mode", "all"), ("--listener", "shared,reuseport"), ("--workers", "4"),
                ("--rate", "8000"), ("--duration", "100ms"), ("--warmup", "30ms"),
            ],
            score: "server_cpu_ns_per_op", phrase: "of server CPU per connection"),
        Scenario(
            name: "keep-alive", subject: "connections that stay",
            options: [
                ("--workload", "read"), ("--mode", "all"), ("--connections", "64"), ("--workers", "4"),
                ("--rate", "20000"), ("--duration", "100ms"), ("--warmup", "30ms"),
            ],
            score: "server_cpu_ns_per_op", phrase: "of server CPU per message"),
        Scenario(
            name: "mostly-idle", subject: "mostly idle connections",
            options: [
                ("--workload", "read"), ("--mode", "all"), ("--connections", "64"), ("--idle", "5000"),
                ("--workers", "4"), ("--rate", "10000"), ("--duration", "100ms"), ("--warmup", "30ms"),
            ],
            score: "server_cpu_ns_per_op", phrase: "of server CPU per message"),
        Scenario(
            name: "slow-requests", subject: "requests of which some are slow",
            options: [
                ("--workload", "read"), ("--mode", "blocking,lt,oneshot,dispatcher,multishot"), ("--topology", "all"),
                ("--connections", "64"), ("--workers", "4"), ("--rate", "10000"),
                ("--service-time", "bimodal:10us,10ms,0.01"), ("--service", "sleep"), ("--duration", "1s"),
                ("--warmup", "100ms"),
            ],
            score: "latency_p999_ns", phrase: "at the 99.9th percentile"),
        Scenario(
            name: "wake-ups", subject: "waking another thread",
            options: [
                ("--workload", "wake"), ("--mode", "all"), ("--signal", "all"), ("--duration", "100ms"),
                ("--warmup", "30ms"),
            ],
            score: "server_cpu_ns_per_op", phrase: "of CPU of the woken thread"),
    ]

    static let names = all.map(\.name)

    static func named(_ name: String) throws -> Scenario {
        guard let scenario = all.first(where: { $0.name == name }) else {
            throw Failure(
                .usage,
                "--scenario takes \(names.joined(separator: ", ")), not '\(name)'" + didYouMean(name, among: names))
        }
        return scenario
    }

    /// The options of `bench run`, the user's in place of the scenario's.
    func arguments(_ given: [(name: String, value: String)]) -> [String] {
        var replacing = given
        var names = Set(given.map(\.name))
        if names.contains("--slo") {
            // A search has no rate of its own.
            names.insert("--rate")
            // Its short runs have a quarter of the window, and the race repeats it: longer ones would be fewer.
            let own = options.first { $0.name == "--duration" }.flatMap { nanoseconds($0.value) } ?? 0
            if own < 400_000_000 { replacing.append(("--duration", "400ms")) }
        }
        names.formUnion(replacing.map(\.name))
        return (options.filter { !names.contains($0.name) } + replacing).flatMap { [$0.name, $0.value] }
    }
}
