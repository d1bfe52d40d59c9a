/// What an open loop offered, and whether it was served.
package enum OfferedLoad {
    private static let bound = 0.05

    /// Whether clearly less was served than the `due` operations: latencies then grow with the length of the run.
    ///
    /// What is in flight at either end of the window is counted on one side only, which is about as much as chance makes
    /// of a Poisson process: twice the square root of the number.
    package static func isSaturated(due: Double, offeredPerS: Double, servedPerS: Double) -> Bool {
        due * (1 - servedPerS / max(offeredPerS, 1e-9)) > bound * due + 2 * due.squareRoot()
    }
}

extension RunRecord {
    /// What an open loop offered, by second; `nil` in a closed one.
    ///
    /// Rows that were written before `offered_ops_per_s` hold only the rate that was asked for.
    package var offeredPerS: Double? { offeredOpsPerS ?? ratePerS }

    /// Whether the column `saturated` says no; in rows from before it, what it would say. A search goes beyond what is served
    /// to find its rate, so no search counts.
    package var keptItsRate: Bool {
        if !slo.isEmpty { return true }
        if !saturated.isEmpty { return saturated != "yes" }
        guard let offered = offeredPerS, let served = throughputOpsPerS, let durationS else { return true }
        return !OfferedLoad.isSaturated(due: offered * durationS, offeredPerS: offered, servedPerS: served)
    }
}

extension ArmRuns {
    /// False if any usable run did not keep the rate that it was offered.
    package var keptItsRate: Bool { usable.allSatisfy(\.keptItsRate) }
}
