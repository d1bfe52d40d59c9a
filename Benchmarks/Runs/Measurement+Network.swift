import Meters
import Records

/// What the network of this host did with the load.
extension Measurement {
    /// Segments that are sent again may be so many of the operations: one in a thousand.
    static let retransmissionBound = 0.001

    /// Segments of TCP that were sent again; nil of a load that is not over TCP.
    private func retransmissions(_ plan: RunPlan) -> UInt64? {
        interface == nil || plan.workload == .datagram ? nil : network.retransmissions
    }

    /// Nil of a load that goes over no network.
    private var drops: [(drop: NetworkDrop, count: UInt64)]? {
        interface.flatMap { network.drops(on: $0) }
    }

    func fillNetwork(_ record: inout RunRecord, _ plan: RunPlan) {
        record.retransmissionsPerOp = retransmissions(plan).flatMap(perOperation)
        record.networkDrops = drops.map { $0.reduce(0) { $0 + $1.count } }
    }

    mutating func noteNetwork(_ plan: RunPlan) {
        if let count = retransmissions(plan), Double(count) > Self.retransmissionBound * operationsOfCosts {
            let share =
                operations == 0
                ? "" : ", \(Decimal.fixed(100 * Double(count) / operationsOfCosts, digits: 2)) % of the operations"
            warnings.append(
                "this host sent \(count) segments of TCP again\(share): they were lost, or their acknowledgement came late; lower "
                    + "--rate or --connections, and see what the other host and the way between drop")
        }
        guard let drops, let worst = drops.first else { return }
        let list = drops.map { "\($0.count) at the \(name($0.drop))" }.joined(separator: ", ")
        let all = drops.reduce(0) { $0 + $1.count }
        warnings.append("this host dropped \(all) packets in the window (\(list)): \(worst.drop.remedy)")
    }

    private func name(_ drop: NetworkDrop) -> String {
        drop == .interface ? "interface \(interface ?? "")" : drop.rawValue
    }
}
