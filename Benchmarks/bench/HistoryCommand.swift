import ArgumentParser
import Foundation
import Records

/// `bench history`: how the metrics went over the stored runs.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Shows each metric's trend over stored runs, and the commits that changed it.")

    @Argument(help: "Folder that holds result folders, at any depth; the baselines in it are not part of the history.")
    var folder = "results"

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
        let stored = try Self.folders(under: folder).map { path in
            StoredRuns(name: path, records: inModeOrder(try StoredFolder.rows(path)))
        }.filter { !$0.records.isEmpty }
        guard !stored.isEmpty else {
            throw Failure(.noBaseline, "no stored runs under \(folder); bench run stores some")
        }
        let history = try history(stored)
        print(history.table(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
        if let csv { try write(history.otavaCSV(), to: csv, of: "--csv") }
        if let csv, let otavaConfig {
            let gaps = history.trendsWithGaps
            guard gaps < history.trends.count else {
                throw Failure(.usage, "no trend has a value in every run, as Otava needs; name a narrower folder")
            }
            if gaps > 0 { complain("Otava takes no gaps: left out \(gaps) trends that not every stored run has") }
            let path = URL(fileURLWithPath: csv).standardizedFileURL.path
            try write(
                history.otavaConfiguration(test: "bench", csvPath: path), to: otavaConfig, of: "--otava-config")
        }
    }

    private func write(_ text: String, to path: String, of option: String) throws {
        try writeFile(text, to: path, advice: "name a file that you may write with \(option)")
    }

    private func history(_ stored: [StoredRuns]) throws -> History {
        let names = metrics?.split(separator: ",").map(String.init) ?? ComparisonOptions.defaultMetrics
        do {
            return try History(stored, metrics: names)
        } catch {
            throw Failure(.usage, error.description)
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
