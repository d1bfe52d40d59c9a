extension RunRecord {
    /// What an open loop offered, by second; `nil` in a closed one.
    ///
    /// Rows that were written before `offered_ops_per_s` hold only the rate that was asked for.
    package var offeredPerS: Double? { offeredOpsPerS ?? ratePerS }

    /// Below this share of what was offered a row without `saturated` counts as one that did not keep its rate.
    private static let keptShare = 0.95

    /// False if clearly less was served than an open loop offered: latencies then grow with the length of the run.
    package var keptItsRate: Bool {
        if !saturated.isEmpty { return saturated != "yes" }
        guard let offered = offeredPerS, offered > 0, let served = throughputOpsPerS else { return true }
        return served >= Self.keptShare * offered
    }
}

extension ArmRuns {
    /// False if any usable run did not keep the rate that it was offered.
    package var keptItsRate: Bool { usable.allSatisfy(\.keptItsRate) }
}
