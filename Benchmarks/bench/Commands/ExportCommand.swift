import ArgumentParser
import Foundation
import Histogram
import Records
import Loops
import Reports
import Runs

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes stored runs in the formats of other tools.")

    @Argument(help: "Result folder.")
    var folder: String

    @Option(
        help: """
            hgrm (HdrHistogram's percentiles), bmf (Bencher), github-action-benchmark, benchstat (Go), \
            jmh (JSON).
            """)
    var format: String

    @Option(help: "File to write; standard output if not given.")
    var output: String?

    @Option(help: "github-action-benchmark: the metrics of which smaller or bigger is better; it takes one at a time.")
    var direction: String?

    @Option(help: "hgrm: the mode, where the folder has several.")
    var mode: String?

    func run() throws {
        let format: ExportFormat = try named(format, "format")
        guard direction == nil || format == .githubActionBenchmark else {
            throw Failure(.usage, "--direction belongs to --format github-action-benchmark")
        }
        guard mode == nil || format == .hgrm else {
            throw Failure(.usage, "--mode belongs to --format hgrm; the other formats hold all modes")
        }
        let stored = try StoredFolder(folder)
        let rows = inModeOrder(stored.rows)
        complainOfUnusable(rows, side: "the export")
        guard rows.contains(where: { $0.status == .ok }) else {
            throw Failure(.runFailed, "no run in \(folder) has the status ok; its column reason says why")
        }
        let text =
            switch format {
            case .hgrm: try percentiles(stored)
            case .bmf: bencherMetricFormat(rows)
            case .githubActionBenchmark: githubActionBenchmark(rows, direction: try better())
            case .benchstat: goBenchmarkFormat(rows)
            case .jmh: jmhJSON(rows)
            }
        if let output {
            try writeFile(text, to: output, option: "--output")
        } else {
            print(text, terminator: "")
        }
    }

    private func better() throws -> Column.Direction {
        switch direction {
        case "smaller": return .lower
        case "bigger": return .higher
        default:
            throw Failure(
                .usage,
                "github-action-benchmark takes one direction a file: --direction smaller (customSmallerIsBetter) or "
                    + "bigger (customBiggerIsBetter)")
        }
    }

    /// One arm's histogram, the runs added up.
    private func percentiles(_ stored: StoredFolder) throws -> String {
        let all = try stored.histograms()
        let mode = mode.map { Mode.named($0)?.name ?? $0 }
        let usable = all.filter { $0.0.status == .ok && (mode == nil || $0.0.mode == mode) }
        let arms = Set(usable.map { Arm($0.0) })
        guard var sum = usable.first?.1, arms.count == 1 else {
            let modes = Set(all.map(\.0.mode)).sorted().joined(separator: ", ")
            let reason =
                arms.isEmpty
                ? "no usable run of \(mode ?? "any mode") has latencies"
                : mode == nil
                    ? "hgrm holds one mode: choose with --mode"
                    : "\(mode ?? "") was run in several combinations: export a folder with one"
            throw Failure(.usage, "\(reason); \(folder) has latencies of \(modes.isEmpty ? "none" : modes)")
        }
        for (_, histogram) in usable.dropFirst() {
            // Adding histograms of different layouts would end the program.
            guard histogram.numberOfSignificantValueDigits == sum.numberOfSignificantValueDigits,
                histogram.lowestDiscernibleValue == sum.lowestDiscernibleValue,
                histogram.highestTrackableValue == sum.highestTrackableValue
            else {
                throw Failure(.usage, "\(folder)/latency.hlog holds histograms of different layouts; measure again")
            }
            sum.add(histogram)
        }
        return hgrm(sum)
    }
}
