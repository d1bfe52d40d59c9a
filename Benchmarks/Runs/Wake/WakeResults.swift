import Loops
import Histogram
import Meters
import Records

/// What a wake run measures beside what every run does.
package struct WakeResults: Sendable {
    /// Ping-pong: from one thread's signal to the other's wake.
    var oneWay: Histogram<UInt64>?
    /// Pool: what became of the tasks.
    package var pool: PoolCounts?

    package struct PoolCounts: Sendable {
        /// Tasks that nobody did.
        package var lost: UInt64 = 0
        /// Tasks that were done more than once.
        var doneTwice: UInt64 = 0
        /// Times that a producer waited for descriptors to be closed.
        var descriptorWaits: UInt64 = 0
        /// Most task descriptors open at once.
        var descriptorsPeak: UInt64 = 0
        /// Kernel memory for each of them, if that was measured.
        var bytesPerDescriptor: Double?
        /// Events of tasks that another consumer had taken already.
        var staleEvents: UInt64 = 0
    }

    func fill(_ record: inout RunRecord) {
        if let oneWay {
            let summary = LatencySummary(oneWay)
            record.oneWayMinNs = summary.min
            record.oneWayP50Ns = summary.p50
            record.oneWayP99Ns = summary.p99
        }
        guard let pool else { return }
        record.tasksLost = pool.lost
        record.tasksDoneTwice = pool.doneTwice
        record.emfileWaits = pool.descriptorWaits
        record.descriptorsPeak = pool.descriptorsPeak
        record.bytesPerDescriptor = pool.bytesPerDescriptor
        record.staleEvents = pool.staleEvents
    }
}
