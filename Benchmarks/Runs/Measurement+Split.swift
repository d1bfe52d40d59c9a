import Histogram
import Load
import Meters
import Records

/// The latencies in two parts, where the kernel stamps what it receives.
extension Measurement {
    /// Replies without a stamp may be so many of all: one in a hundred.
    static let unstampedBound = 0.01
    /// A clock that was set by less does not matter, in nanoseconds.
    static let clockBound: UInt64 = 1_000

    /// Nil where the parts mean nothing.
    private var usableSplit: LatencySplit? {
        split.flatMap { $0.clockSet < Self.clockBound && $0.client.histogram.totalCount > 0 ? $0 : nil }
    }

    func fillSplit(_ record: inout RunRecord) {
        guard let split = usableSplit else { return }
        let (client, before) = (LatencySummary(split.client.histogram), LatencySummary(split.untilArrival.histogram))
        (record.latencyClientP50Ns, record.latencyClientP99Ns) = (client.p50, client.p99)
        (record.latencyUntilArrivalP50Ns, record.latencyUntilArrivalP99Ns) = (before.p50, before.p99)
    }

    mutating func noteSplit(_ plan: RunPlan) {
        guard let split, latencies.totalCount > 0 else { return }
        let stamped = split.client.histogram.totalCount
        if stamped == 0 {
            let reason =
                split.refusal != 0
                ? "the kernel refuses time stamps (SO_TIMESTAMPING: \(errorName(split.refusal)))"
                : interface == nil
                    ? "what goes between unix sockets has no time stamps; use a TCP address"
                    : "the kernel stamped none of the replies"
            warnings.append("the latency is not split: \(reason)")
        } else if split.clockSet >= Self.clockBound {
            let time = HumanUnits.time(nanoseconds: Double(split.clockSet))
            warnings.append(
                "the latency is not split: the clock was set by \(time) meanwhile, by which the kernel stamps")
        } else if Double(split.unstamped) > Self.unstampedBound * Double(stamped + split.unstamped) {
            warnings.append(
                "the kernel stamped \(stamped) of \(stamped + split.unstamped) replies, and the parts of the latency are those "
                    + "of these")
        }
    }
}
