import Glibc
import Load
import Meters
import Records

/// What weakens the figures of somebody else's server, which is seen from outside.
extension Measurement {
    /// The share of their time above which clients are the limit.
    static let busyBound = 0.95
    /// So many scheduler ticks make the lag of one less than a hundredth.
    static let fewestTicks: UInt64 = 100

    mutating func noteOutsideView(_ plan: RunPlan, tickNanoseconds: UInt64 = schedulerTickNanoseconds()) {
        if let clientBusy, clientBusy > Self.busyBound {
            let remedy = plan.ratePerSecond == nil ? "offer a --rate" : "lower the rate"
            warnings.append(
                "the clients were busy for \(Decimal.fixed(100 * clientBusy, digits: 0)) % of their time, so they may be "
                    + "the limit and not the server; raise --clients, or \(remedy)")
        }
        if plan.workload == .read, openConnections < plan.load.connections {
            warnings.append("\(openConnections) of \(plan.load.connections) connections were open when measuring began")
        }
        guard let processes else { return }
        let shortest = Self.fewestTicks * tickNanoseconds
        if durationNanoseconds < shortest {
            let tick = HumanUnits.time(nanoseconds: Double(tickNanoseconds))
            warnings.append(
                "the CPU time of other programs may lag by \(tick), which is more than 1 % of the window; raise --duration "
                    + "to \(HumanUnits.time(nanoseconds: Double(shortest)))")
        }
        if let share = processes.unseenShare(tickNanoseconds: tickNanoseconds) {
            warnings.append(
                "threads and processes that ended in the window had \(Decimal.fixed(100 * share, digits: 0)) % of the CPU "
                    + "time, and their switches and run delay are missing")
        }
        // Connections that are under way come and go.
        let expected = plan.load.connections + 16
        if descriptorGrowth > expected, let now = processes.descriptors {
            warnings.append(
                "the server's descriptors grew from \(now - descriptorGrowth) to \(now) in the window; it may not close its "
                    + "connections")
        }
    }
}

extension ProcessUsage {
    /// The share of the CPU time whose threads were not seen, where it is more than a hundredth and more than what is read
    /// at different moments can differ by.
    func unseenShare(tickNanoseconds: UInt64) -> Double? {
        guard let seenNanoseconds, cpuNanoseconds > seenNanoseconds + 4 * tickNanoseconds else { return nil }
        let share = Double(cpuNanoseconds - seenNanoseconds) / Double(cpuNanoseconds)
        return share > 0.01 ? share : nil
    }
}

/// The time between two of the scheduler's ticks.
func schedulerTickNanoseconds() -> UInt64 {
    var resolution = timespec()
    // Its clock advances with the ticks.
    guard unsafe clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) == 0 else { return 10_000_000 }
    return UInt64(resolution.tv_nsec)
}
