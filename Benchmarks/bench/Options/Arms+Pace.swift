import Load
import Records
import Runs

/// When operations start: the options that say so, of which there may be one.
extension RunOptions {
    /// Those that were given which make an open loop.
    var paceOptions: [String] {
        [("--rate", network.rate != nil), ("--sweep", network.sweep != nil), ("--slo", network.slo != nil)]
            .filter(\.1).map(\.0)
    }

    var isOpenLoop: Bool { !paceOptions.isEmpty }

    /// The time of a run if none is given: what a search finds is to hold for longer than a moment.
    var usualDuration: String { network.slo == nil ? "1s" : "10s" }

    /// The paces that are run, one after the other.
    func paces(_ plan: RunPlan) throws -> [LoadPlan.Pace] {
        let given = paceOptions + (accept.drain == nil ? [] : ["--drain"])
        if given.count > 1 {
            throw Failure(
                .usage, "\(given[0]) and \(given[1]) exclude each other: each says when operations start; leave one out"
            )
        }
        if let rate = network.rate {
            guard Self.rates.contains(rate) else {
                throw Failure(.usage, "--rate takes 0.001 to 100000000 operations per second, not \(rate)")
            }
            return [.openLoop(perSecond: rate)]
        }
        if let sweep = network.sweep { return try Self.rates(sweep).map { .openLoop(perSecond: $0) } }
        // The search replaces it.
        if plan.objective != nil { return [.openLoop(perSecond: Self.rates.lowerBound)] }
        guard let count = accept.drain else { return [.closedLoop] }
        guard (plan.load.clients...mostCount).contains(count) else {
            throw Failure(.usage, "--drain takes a number of connections, at least one for each client")
        }
        return [.drain(count)]
    }

    /// What a search for the highest rate must keep; nil where none is asked for.
    func objective() throws -> ServiceObjective? {
        guard let slo = network.slo else { return nil }
        guard let objective = ServiceObjective(slo) else {
            throw Failure(
                .usage,
                "--slo takes percentiles and their bounds, each once, such as p99=1ms or p99=1ms,p99.9=5ms, not '\(slo)'"
            )
        }
        return objective
    }

    private static let rates = 0.001...1e8
    private static let mostRates = 1000

    private static func rates(_ sweep: String) throws -> [Double] {
        let parts = sweep.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
        guard parts.count == 3, rates.contains(parts[0]), rates.contains(parts[1]), parts[0] <= parts[1], parts[2] > 0,
            parts[2].isFinite,
            (parts[1] - parts[0]) / parts[2] < Double(mostRates)
        else {
            throw Failure(
                .usage,
                "--sweep takes FIRST:LAST:STEP, operations per second in at most \(mostRates) steps, such as "
                    + "1000:50000:7000, not '\(sweep)'")
        }
        // A step of 0.1 is none of binary: the last rate may lie a little beyond.
        let steps = Int(((parts[1] - parts[0]) / parts[2] + 1e-9).rounded(.down))
        return (0...steps).map { parts[0] + Double($0) * parts[2] }
    }
}
