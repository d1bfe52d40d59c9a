import Foundation
import Meters
import Pictures
import Records

/// What a report says about one folder besides its pictures: facts, commands, and the files as they are.
struct ReportSource {
    let run: Report.Run

    /// Percentiles beyond this size are thinned out: the report is to be mailed, and its pictures show the others.
    private static let mostPercentileBytes = 100_000
    /// The quantiles that stay, or the next ones that there are.
    private static let shownQuantiles = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1]

    init(_ result: StoredResult) {
        let description = result.description
        // What is wrong with it is among the notes.
        let claims = (try? FolderCheck(result.path, []).claims()) ?? nil
        let first = result.folder.records.first
        let arguments = description?.arguments
        run = Report.Run(
            name: result.path, facts: Self.facts(description, first),
            command: arguments.map { "bench " + $0.map(Self.shellQuoted).joined(separator: " ") }
                ?? "not known: run.json is missing or cannot be read",
            repetition: Self.repetition(description, commit: first?.gitCommit ?? ""),
            warnings: Self.warnings(result), files: Self.files(result.path), claims: claims)
    }

    private static func facts(
        _ description: RunDescription?, _ first: RunRecord?
    ) -> [(name: String, value: String)] {
        let machine = description?.machine
        let memory = machine.map { "\(($0.memoryBytes / 1_000_000 + 500) / 1_000) GB" }
        let all: [(String, String?)] = [
            ("machine", machine?.machineID ?? first?.machineId), ("processor", machine?.processor),
            ("processors online", machine.map { String($0.processors) }), ("memory", memory),
            ("kernel", machine.map { "Linux \($0.kernel)" }), ("architecture", machine?.architecture),
            ("clock", machine?.clockSource), ("frequency governor", machine?.governor),
            ("backlog limit (somaxconn)", machine?.somaxconn.map(String.init)),
            ("commit", description?.gitCommit ?? first?.gitCommit), ("build", description?.build ?? first?.build),
            ("started", description?.startedAt ?? first?.startedAt), ("finished", description?.finishedAt),
            ("seed", description.map { String($0.seed) }),
        ]
        let looked = (description?.doctor ?? []).map {
            ($0.fact, $0.isHarmful ? "\($0.value): \($0.effect)" : $0.value)
        }
        return all.compactMap { name, value in value.flatMap { $0.isEmpty ? nil : (name, $0) } } + looked
    }

    private static func warnings(_ result: StoredResult) -> [String] {
        var warnings = result.description?.warnings ?? []
        for warning in Records.warnings(for: inModeOrder(result.folder.records)) where !warnings.contains(warning) {
            warnings.append(warning)
        }
        if result.description?.interrupted == true { warnings.append("The invocation was interrupted.") }
        if result.folder.records.contains(where: { $0.build == "debug" }) {
            warnings.append("This is a debug build, whose numbers mean nothing.")
        }
        let unusable = result.folder.records.filter { $0.status != .ok }
        if !unusable.isEmpty {
            let all = result.folder.records.count
            warnings.append("\(unusable.count) of \(all) rows are not ok and not in the pictures.")
        }
        return warnings
    }

    /// The commands that build the same commit and run the same with the same seed, into a folder of its own.
    private static func repetition(_ description: RunDescription?, commit: String) -> [String] {
        guard let description else { return ["not known: run.json is missing or cannot be read"] }
        let clean = commit.hasSuffix("-dirty") ? String(commit.dropLast(6)) : commit
        var kept: [String] = []
        var isValue = false
        for argument in description.arguments {
            if !isValue && argument != "--output" && !argument.hasPrefix("--output=") { kept.append(argument) }
            isValue = !isValue && argument == "--output"
        }
        let hasSeed = kept.contains { $0 == "--seed" || $0.hasPrefix("--seed=") }
        if !hasSeed { kept += ["--seed", String(description.seed)] }
        let dirty = commit.hasSuffix("-dirty") ? ["# the source had changes that were not committed"] : []
        let checkout = clean.isEmpty ? [] : ["git checkout \(shellQuoted(clean))"]
        return dirty + checkout + [
            "swift build -c release", ".build/release/bench " + kept.map(shellQuoted).joined(separator: " "),
        ]
    }

    /// As a shell reads it back.
    private static func shellQuoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-_./:,=+%@".utf8.contains(byte)
        }
        return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }

    private static func files(_ path: String) -> [(name: String, text: String)] {
        ["runs.csv", "percentiles.csv", "calls.csv", "claims.csv", "run.json"].compactMap { name in
            guard let bytes = FileManager.default.contents(atPath: "\(path)/\(name)") else { return nil }
            let text = String(decoding: bytes, as: UTF8.self)
            guard name == "percentiles.csv", bytes.count > mostPercentileBytes else { return (name, text) }
            return ("\(name), some quantiles of its \(bytes.count) bytes", thinned(text))
        }
    }

    /// The header, and of each run the rows of a few quantiles.
    private static func thinned(_ percentiles: String) -> String {
        let lines = percentiles.split(separator: "\n")
        let header = lines.first?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        guard let column = header.firstIndex(of: "quantile") else { return "no column is named quantile\n" }
        var run: Substring = ""
        var wanted = shownQuantiles[...]
        let shown = lines.dropFirst().filter { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.indices.contains(column), let quantile = Double(fields[column]) else { return false }
            if fields[0] != run { (run, wanted) = (fields[0], shownQuantiles[...]) }
            guard let next = wanted.first, quantile >= next else { return false }
            wanted = wanted.drop { $0 <= quantile }
            return true
        }
        return ([lines[0]] + shown).map { $0 + "\n" }.joined()
    }
}
