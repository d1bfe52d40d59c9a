import Records
import Workloads

extension WakePlan {
    /// Writes what was asked for into a row's identity columns.
    func describe(_ plan: RunPlan, in record: inout RunRecord) {
        record.listener = ""
        record.close = ""
        record.rearm = ""
        record.signal = signal.rawValue
        record.shape = shape.rawValue
        record.placement = plan.placement.kind
        guard shape == .pool else { return }
        record.descriptors = descriptors.rawValue
        record.producers = producers
        record.consumers = consumers
        record.tasks = tasks
        record.live = live ? "live" : ""
    }
}

extension Placement {
    /// Whether the two sides share a processor: the `placement` column.
    fileprivate var kind: String {
        if workers.isEmpty && clients.isEmpty { return "unpinned" }
        return Set(workers + clients).count == 1 ? "same-cpu" : "different-cpus"
    }
}
