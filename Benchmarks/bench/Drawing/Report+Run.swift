import Foundation
import Meters
import Pictures
import Records
import Reports

extension Report.Run {
    /// What a report has of one folder besides its pictures: facts, commands, and the files as they are.
    init(_ result: StoredResult) {
        let description = result.description
        let first = result.stored.rows.first
        let arguments = description?.arguments
        self.init(
            name: result.path, answer: description?.answer ?? [], facts: Self.facts(description, first),
            command: arguments.map { "bench " + $0.map(shellQuoted).joined(separator: " ") }
                ?? "not known: run.json is missing or cannot be read",
            repetition: Self.repetition(description, commit: first?.gitCommit ?? ""),
            warnings: Self.warnings(result), files: Self.files(result.path),
            // What is wrong with them is among the notes.
            claims: (try? result.stored.claims()) ?? nil)
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
        let rows = result.stored.rows
        let stored = result.description?.warnings ?? []
        var warnings = stored + Reports.warnings(for: inModeOrder(rows)).filter { !stored.contains($0) }
        if result.description?.interrupted == true { warnings.append("The invocation was interrupted.") }
        if rows.contains(where: { $0.build == "debug" }) {
            warnings.append("This is a debug build, whose numbers mean nothing.")
        }
        let unusable = rows.count { $0.status != .ok }
        if unusable > 0 { warnings.append("\(unusable) of \(rows.count) rows are not ok and not in the pictures.") }
        return warnings
    }

    /// The commands that build the same commit and run the same with the same seed, into a folder of its own.
    private static func repetition(_ description: RunDescription?, commit: String) -> [String] {
        guard let description else { return ["not known: run.json is missing or cannot be read"] }
        let isDirty = commit.hasSuffix("-dirty")
        let clean = isDirty ? String(commit.dropLast(6)) : commit
        var kept = bench.arguments(description.arguments, without: ["--output"])
        let hasSeed = kept.contains { $0 == "--seed" || $0.hasPrefix("--seed=") }
        if !hasSeed { kept += ["--seed", String(description.seed)] }
        let dirty = isDirty ? ["# the source had changes that were not committed"] : []
        let checkout = clean.isEmpty ? [] : ["git checkout \(shellQuoted(clean))"]
        return dirty + checkout + [
            "swift build -c release", ".build/release/bench " + kept.map(shellQuoted).joined(separator: " "),
        ]
    }

    private static func files(_ path: String) -> [(name: String, text: String)] {
        ["runs.csv", "percentiles.csv", "calls.csv", "capacity.csv", "claims.csv", "run.json"].compactMap { name in
            guard let bytes = FileManager.default.contents(atPath: "\(path)/\(name)") else { return nil }
            let text = String(decoding: bytes, as: UTF8.self)
            // The report is to be mailed, and its pictures show the other quantiles.
            guard name == "percentiles.csv", bytes.count > 100_000 else { return (name, text) }
            return ("\(name), some quantiles of its \(bytes.count) bytes", thinned(text))
        }
    }

    /// The header, and of each run the rows of a few quantiles, or the next ones that there are.
    private static func thinned(_ percentiles: String) -> String {
        let lines = percentiles.split(separator: "\n")
        guard let column = lines.first.map(\.listed)?.firstIndex(of: "quantile") else {
            return "no column is named quantile\n"
        }
        let quantiles = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1]
        var run = ""
        var wanted = quantiles[...]
        let shown = lines.dropFirst().filter { line in
            let fields = line.listed
            guard fields.indices.contains(column), let quantile = Double(fields[column]) else { return false }
            if fields[0] != run { (run, wanted) = (fields[0], quantiles[...]) }
            guard let next = wanted.first, quantile >= next else { return false }
            wanted = wanted.drop { $0 <= quantile }
            return true
        }
        return ([lines[0]] + shown).map { $0 + "\n" }.joined()
    }
}
