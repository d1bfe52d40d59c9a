/// The smallest change that a machine can tell from none: how far identical code seems to differ from itself.
///
/// It comes from A/A blocks, each holding two runs of one arm. Which of the two plays "new" is drawn per block, so that
/// being second in a block is not mistaken for a change. The floor of a metric is the end, farther from 1, of the exact
/// interval of the median ratio: identical code has been seen to differ by that much, so a smaller change found with
/// as many blocks proves nothing. It holds for one machine and one kernel.
package struct NoiseFloor: Sendable, Codable, Equatable {
    package struct Entry: Sendable, Codable, Equatable {
        package var workload: String
        package var mode: String
        package var metric: String
        /// The floor as a share: 0.03 for 3 %.
        package var floor: Double
        /// A/A blocks it was taken from.
        package var blocks: Int
        /// How far medians of separate invocations may lie apart, as a share; of a count, how far single runs did, with
        /// busy processors too. `nil` if that was not measured.
        package var drift: Double?

        package init(
            workload: String, mode: String, metric: String, floor: Double, blocks: Int, drift: Double?
        ) {
            (self.workload, self.mode, self.metric) = (workload, mode, metric)
            (self.floor, self.blocks, self.drift) = (floor, blocks, drift)
        }
    }

    package var machineId: String
    package var kernel: String
    package var measuredAt: String
    package var gitCommit: String
    package var confidence: Double
    package var entries: [Entry]

    package init(
        machineId: String, kernel: String, measuredAt: String, gitCommit: String, confidence: Double, entries: [Entry]
    ) {
        (self.machineId, self.kernel, self.measuredAt) = (machineId, kernel, measuredAt)
        (self.gitCommit, self.confidence, self.entries) = (gitCommit, confidence, entries)
    }

    /// The floor of `metric` for the arm's workload and mode; `nil` if it was not calibrated.
    package func entry(of metric: String, arm: Arm) -> Entry? {
        entries.first { $0.metric == metric && $0.mode == arm["mode"] && $0.workload == arm["workload"] }
    }

    /// Why the floor must not be used on this machine and kernel; `nil` if it may.
    package func refusal(machineId: String, kernel: String) -> String? {
        if machineId != self.machineId {
            return
                "the noise floor was measured on another machine (\(self.machineId)); run bench calibrate on this one"
        }
        if kernel != self.kernel {
            return "the noise floor was measured on kernel \(self.kernel), this is \(kernel); run bench calibrate again"
        }
        return nil
    }
}
