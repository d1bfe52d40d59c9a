import ArgumentParser
import Foundation
import Loops
import Records
import Meters
import Reports

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Shows each metric's trend over stored runs, and the commits that changed it.")

    @Argument(help: "Folder that holds result folders, at any depth; the baselines in it are not part of the history.")
    var folder = "results"

    @Option(help: "Only these modes, separated by commas.")
    var mode: String?

    @Option(help: "Only these workloads, separated by commas.")
    var workload: String?

    @Option(help: "Only the machine that runs.csv names so; all, one after the other, if not given.")
    var machine: String?

    @Option(help: "Metrics, column names separated by commas.")
    var metrics: String?

    @Option(help: "Writes a CSV with a line per stored run and a column per metric, which Apache Otava reads.")
    var csv: String?

    @Option(help: "Writes Otava's configuration for that CSV; needs --csv.")
    var otavaConfig: String?

    func run() throws {
        guard otavaConfig == nil || csv != nil else {
            throw Failure(.usage, "--otava-config describes the file of --csv; name that too")
        }
        let workloads: [Workload]? = try workload.map { try choices($0, option: "workload") }
        let (stored, isWhole) = try StoredFolder.readDistinct(
            Self.folders(under: folder), name: \.name, rows: \.records
        ) { StoredRuns(name: $0, records: inModeOrder(try StoredFolder($0).rows)) }
        let modes = try mode.map { try Set(armNames($0, in: stored.flatMap(\.records))) }
        let histories = try histories(filtered(stored.filter { !$0.records.isEmpty }, modes, workloads))
        guard let first = histories.first else {
            throw Failure(
                .noBaseline,
                "no stored runs under \(folder); bench run stores some, and sides of a comparison and baselines are left "
                    + "out")
        }
        guard csv == nil || histories.count == 1 else {
            let machines = histories.map(\.machineId).joined(separator: ", ")
            throw Failure(.usage, "--csv holds one machine; choose with --machine: \(machines)")
        }
        for (index, history) in histories.enumerated() {
            if index > 0 { print() }
            if histories.count > 1 { say("Machine \(history.machineId)") }
            print(history.table(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
        }
        if let csv { try writeFile(first.otavaCSV(), to: csv, option: "--csv") }
        if let csv, let otavaConfig { try writeConfiguration(of: first, csv: csv, to: otavaConfig) }
        if !isWhole { throw ExitCode(Exit.runFailed.rawValue) }
    }

    private func writeConfiguration(of history: History, csv: String, to file: String) throws {
        let gaps = history.trendsWithGaps
        guard gaps < history.trends.count else {
            throw Failure(.usage, "no trend has a value in every run, as Otava needs; name a narrower folder")
        }
        if gaps > 0 { complain("Otava takes no gaps: left out \(gaps) trends that not every stored run has") }
        let path = URL(fileURLWithPath: csv).standardizedFileURL.path
        try writeFile(
            history.otavaConfiguration(test: "bench", csvPath: path), to: file, option: "--otava-config")
    }

    /// What `--mode`, `--workload` and `--machine` leave of the stored runs.
    private func filtered(
        _ stored: [StoredRuns], _ modes: Set<String>?, _ workloads: [Workload]?
    ) throws -> [StoredRuns] {
        if let machine {
            let known = Set(stored.flatMap(\.records).map(\.machineId)).sorted()
            guard known.contains(machine) else { throw Failure.unknown("machine", machine, among: known) }
        }
        let left = stored.map { runs in
            StoredRuns(
                name: runs.name,
                records: runs.records.filter { row in
                    modes?.contains(row.mode) != false && machine ?? row.machineId == row.machineId
                        && workloads?.contains { $0.rawValue == row.workload } != false
                })
        }.filter { !$0.records.isEmpty }
        guard left.isEmpty, !stored.isEmpty else { return left }
        let asked = [mode.map { "--mode \($0)" }, workload.map { "--workload \($0)" }].compactMap { $0 }
        let modesThere = inModeOrder(stored.flatMap(\.records)).map { "\($0.workload)/\($0.mode)" }.uniqued
        throw Failure(
            .noBaseline,
            "no stored run under \(folder) is of \(asked.joined(separator: " ")); there are "
                + modesThere.joined(separator: ", "))
    }

    private func histories(_ stored: [StoredRuns]) throws -> [History] {
        do {
            return try History.ofMachines(in: stored, metrics: metrics?.listed ?? ComparisonOptions.defaultMetrics)
        } catch {
            throw Failure(.usage, error.description + error.nearMetric)
        }
    }

    /// Every folder that holds `runs.csv`, but for those of interleaved comparisons, one of whose sides is an old
    /// program measured today, and for baselines, which are measured with options of their own.
    private static func folders(under root: String) throws -> [String] {
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        guard unsafe manager.fileExists(atPath: root, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(.usage, "\(root) is not a folder; name one that holds result folders")
        }
        var found: [String] = []
        var open = [root]
        while let path = open.popLast() {
            let names = (try? manager.contentsOfDirectory(atPath: path)) ?? []
            if names.contains("compare.json") { continue }
            if names.contains("runs.csv") { found.append(path) }
            for name in names where path != root || name != "baseline" {
                let inner = path + "/" + name
                // Not through symbolic links, which can lead in circles.
                let type = (try? manager.attributesOfItem(atPath: inner))?[.type] as? FileAttributeType
                if type == .typeDirectory { open.append(inner) }
            }
        }
        return found.sorted()
    }
}
