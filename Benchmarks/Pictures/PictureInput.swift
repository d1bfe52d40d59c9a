import Histogram
package import Records
package import Reports
import Statistics

package struct PicturedFolder: Sendable {
    package var name: String
    package var records: [RunRecord]
    package var intervals: [HistogramLog.Interval]
    package var steps: [CapacityStep]
    package var kernel: String?

    package init(
        name: String, records: [RunRecord], intervals: [HistogramLog.Interval] = [], steps: [CapacityStep] = [],
        kernel: String? = nil
    ) {
        self.name = name
        self.records = records
        self.intervals = intervals
        self.steps = steps
        self.kernel = kernel
    }

    /// The latencies by `run_id`.
    ///
    /// A log names the mode only. Its lines stand in the order in which the runs ended, as the rows do; a histogram
    /// belongs to the next row that has its mode and as many samples.
    var latencies: [String: Distribution] {
        var found: [String: Distribution] = [:]
        var next = records.startIndex
        for interval in intervals {
            let match = records[next...].firstIndex {
                HistogramLog.tag($0.mode) == interval.tag && $0.latencySamples == interval.histogram.totalCount
            }
            guard let match else { continue }
            found[records[match].runId] = Distribution(interval.histogram)
            next = match + 1
        }
        return found
    }
}

package struct PictureInput: Sendable {
    package let folders: [PicturedFolder]
    /// The rows of all; where folders hold the same arm, the last named one's.
    package let records: [RunRecord]
    let latencies: [String: Distribution]
    /// The steps of searches for a rate, by `run_id`.
    let steps: [String: [CapacityStep]]
    let kernels: [String]
    let comparison: ComparisonOptions

    /// Joins folders. Their `run_id`s are made different, should they not be.
    package init(_ folders: [PicturedFolder], comparison: ComparisonOptions = ComparisonOptions(design: .unpaired)) {
        self.folders = folders
        self.comparison = comparison
        let owner = Dictionary(
            folders.enumerated().flatMap { number, folder in folder.records.map { (Arm($0), number) } },
            uniquingKeysWith: max)
        var records: [RunRecord] = []
        var latencies: [String: Distribution] = [:]
        var steps: [String: [CapacityStep]] = [:]
        for (number, folder) in folders.enumerated() {
            let own = folder.latencies
            let ownSteps = Dictionary(grouping: folder.steps, by: \.runId)
            for var record in folder.records where owner[Arm(record)] == number {
                let distribution = own[record.runId]
                let taken = ownSteps[record.runId]
                record.runId = "\(number):\(record.runId)"
                latencies[record.runId] = distribution
                steps[record.runId] = taken
                records.append(record)
            }
        }
        self.records = records
        self.latencies = latencies
        self.steps = steps
        kernels = folders.compactMap(\.kernel).distinct
    }

    var machines: [String] { folders.flatMap { $0.records.map(\.machineId) }.distinct }

    func of(machine: String) -> PictureInput {
        PictureInput(folders.filter { $0.records.contains { $0.machineId == machine } }, comparison: comparison)
    }

    package var workloads: [String] { records.map(\.workload).distinct }
}
