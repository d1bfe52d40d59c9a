import Foundation
import Histogram
import Load
import Loops
import Meters
import Records
import Servers

/// What is said of a run beside its figures.
extension Measurement {
    /// The share of the operations that may fail: one in a hundred.
    static let failureBound = 0.01
    /// The share of the window that may pass without a completion.
    static let stallBound = 0.1
    /// A stall is no shorter than this, since a thread may wait so long for a busy processor.
    static let shortestStall: UInt64 = 20_000_000
    /// Open loop: so many operations must be due in a pause for it to be a stall.
    static let duePerStall = 20.0

    /// Finds what spoils the run, and what weakens it.
    mutating func judge(_ plan: RunPlan, workerError: RunError?, kernel: KernelVersion? = .running) {
        if let (status, reason) = verdict(plan, workerError: workerError) {
            self.status = status
            self.reason = reason.text(plan, kernel: kernel)
            if case .worker = reason {} else if status == .failed { self.reason += lastWordsPhrase(serverLastWords) }
        }
        guard status != .partial, durationNanoseconds > 0 else { return }
        noteSaturation()
        noteClocks()
        noteStall(plan)
        noteFailures()
        noteLostDatagrams()
        noteNetwork(plan)
        noteSplit(plan)
        if plan.mode == nil { noteOutsideView(plan) }
        if let limit = plan.mode?.limit(plan.workload, on: kernel) { warnings.append(limit.text) }
    }

    /// Nil if nothing does.
    private func verdict(_ plan: RunPlan, workerError: RunError?) -> (Status, RunReason)? {
        if let workerError { return (.failed, .worker(workerError.description)) }
        if status != .ok { return nil }
        if let shortages = totals[.shortages], shortages > 0 { return (.void, .shortages(shortages)) }
        if let listenOverflows, listenOverflows > 0 { return (.void, .overflows(listenOverflows)) }
        if let hosts, hosts.isSkewed, !plan.isCounting { return (.void, .skewed(hosts)) }
        if Double(failed) > Self.failureBound * Double(attempted) {
            return (.failed, .failures(allFailures, failed: failed, attempted: attempted))
        }
        if lost > 0 { return (.failed, operations > 0 ? .unanswered(lost) : .neverAnswered(lost)) }
        if plan.workload == .datagram, latencies.totalCount == 0, datagrams.lostInWindow > 0 {
            return (.failed, .neverAnswered(datagrams.lostInWindow))
        }
        if operations > 0 { return nil }
        // Those that failed may have begun in the warm-up, and kept the clients from beginning others.
        let failures = allFailures.total
        if failures > 0 && latencies.totalCount == 0 {
            return (.failed, .failures(allFailures, failed: failures, attempted: failures))
        }
        if let rate = plan.ratePerSecond, due == 0 { return (.failed, .nothingDue(perSecond: rate)) }
        return (.failed, latencies.totalCount > 0 ? .longerThanWindow(latencies.min) : .nothingStarted)
    }

    /// Whether nothing spoils the run as far as its clients have seen.
    func isSound(_ plan: RunPlan) -> Bool { status == .ok && verdict(plan, workerError: nil) == nil }

    /// Operations that failed in the window; client and server may both have seen one.
    var failed: UInt64 { max(failedInWindow, totals[.errors, default: 0]) }

    /// Operations that succeeded or failed.
    private var attempted: UInt64 { max(latencies.totalCount, answered) + failed }

    /// What the clients saw; what the workers saw where the clients saw nothing.
    private var allFailures: FailureTally { failures.total > 0 ? failures : serverFailures }

    private mutating func noteFailures() {
        guard status == .ok, allFailures.total > 0 else { return }
        warnings.append("failures, warm-up included: \(allFailures.text)")
    }

    private mutating func noteClocks() {
        guard let hosts, Double(hosts.clockErrorNanoseconds) > HostTimes.skewBound * Double(hosts.windowNanoseconds)
        else { return }
        warnings.append(
            "a load host's clock is known to \(hosts.clockErrorNanoseconds / 1000) us only, which is more than 1 % of the "
                + "window; raise --duration")
    }

    private mutating func noteLostDatagrams() {
        guard status == .ok, datagrams.lostInWindow > 0, datagrams.dueInWindow > 0 else { return }
        warnings.append(
            "\(lostPhrase): a receive buffer was full, or a thread got no processor; lower --depth, --connections or "
                + "--rate, or raise net.core.rmem_default")
    }

    /// The share of the window's datagrams that got no answer.
    var lostShare: Double { Double(datagrams.lostInWindow) / Double(max(datagrams.dueInWindow, 1)) }

    /// `0.25 % of the datagrams (5 of 2000) got no answer within 200 ms`
    var lostPhrase: String {
        "\(Decimal.fixed(100 * lostShare, digits: 2)) % of the datagrams (\(datagrams.lostInWindow) of "
            + "\(datagrams.dueInWindow)) got no answer within 200 ms"
    }

    /// Operations that were due in the window, by second; nil in a closed loop.
    var offeredPerSecond: Double? {
        guard let due, windowNanoseconds > 0 else { return nil }
        return Double(due) / (Double(windowNanoseconds) / 1e9)
    }

    /// Open loop: whether clearly less was served than was due.
    var isSaturated: Bool? {
        guard let due, let offered = offeredPerSecond, durationNanoseconds > 0 else { return nil }
        return OfferedLoad.isSaturated(due: Double(due), offeredPerS: offered, servedPerS: servedPerSecond)
    }

    var servedPerSecond: Double { Double(operations) / (Double(durationNanoseconds) / 1e9) }

    private mutating func noteSaturation() {
        guard isSaturated == true, let offered = offeredPerSecond else { return }
        warnings.append(
            "offered \(grouped(offered))/s, served \(grouped(servedPerSecond))/s: saturated, so latencies grow with the "
                + "length of the run and are not compared")
    }

    mutating func noteStall(_ plan: RunPlan) {
        guard let stall = stallNanoseconds, stall >= Self.shortestStall,
            Double(stall) > Self.stallBound * Double(durationNanoseconds)
        else { return }
        if let rate = plan.ratePerSecond, rate * Double(stall) / 1e9 < Self.duePerStall { return }
        let window = HumanUnits.time(nanoseconds: Double(durationNanoseconds))
        let names = OperationName.of(workload: plan.workload.rawValue)
        warnings.append(
            "stalled: for \(HumanUnits.time(nanoseconds: Double(stall))) of the \(window) no \(names.singular) was "
                + "completed")
    }
}

/// `40 600`: digits in groups of three, rounded.
private func grouped(_ value: Double) -> String {
    let digits = String(Int(value.rounded()))
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text += " " }
        text.append(digit)
    }
    return text
}
