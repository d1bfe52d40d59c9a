import Load
import Meters
import Records

extension Measurement {
    /// Whether a run at `rate` kept an objective, and what it missed it by.
    func outcome(_ objective: ServiceObjective, rate: Double) -> CapacityStep.Outcome {
        guard status == .ok else { return .failed }
        // What got no answer has no latency, so that the percentiles do not tell of it.
        if datagrams.lostInWindow > 0 { return .loss }
        for bound in objective.bounds {
            if let lag = bound.latency(sendLag.histogram), lag > bound.nanoseconds { return .lag }
            guard let latency = bound.latency(latencies) else { return .failed }
            if latency > bound.nanoseconds { return .latency }
        }
        return isSaturated == true || isQueueing(objective, rate) ? .backlog : .held
    }

    /// Whether more was left undone than a server that holds the bound has in hand, by Little's law, and than chance makes.
    private func isQueueing(_ objective: ServiceObjective, _ rate: Double) -> Bool {
        guard let due else { return false }
        let longest = Double(objective.bounds.map(\.nanoseconds).max() ?? 0) / 1e9
        return Double(due) - Double(operations) > rate * longest + 2 * Double(due).squareRoot()
    }
}
