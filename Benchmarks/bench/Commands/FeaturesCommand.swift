import ArgumentParser
import Foundation
import Loops
import Meters
import Records
import Reports

struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Says what each feature is worth: every variant against the mode without it.",
        discussion: """
            The folders hold runs of variants and of the modes that they are variants of ('bench list'), such as

              bench run --workload read --mode everything --connections 1,64,1000 --rounds 8 --output DIR

            A round has both in random order, and the ratio is the median over the rounds; fewer than six have no interval.
            """)

    @Argument(help: "Result folders, as 'bench run' wrote them.")
    var folders: [String]

    @Option(help: "File for a page with the figures, in Markdown; folders are linked as they are named here.")
    var markdown: String?

    func run() throws {
        let stored = try folders.map { try StoredFolder($0) }
        let rows = stored.map(\.rows)
        let features = Mode.variants.compactMap { mode in
            mode.base.map { Feature(name: mode.name, base: $0, kernel: mode.kernel, summary: mode.summary) }
        }
        let worths = FeatureWorth.measure(features, in: rows)
        guard !worths.isEmpty else {
            throw Failure(
                .runFailed,
                "no folder has a usable run of a variant and of its mode in one round; run both, as in --mode everything"
            )
        }
        for worth in worths {
            say("\(worth.feature.name): \(worth.sentence)")
        }
        guard let markdown else { return }
        let measured = Set(worths.map(\.feature.name))
        let missing = features.filter { !measured.contains($0.name) }.map { feature in
            (feature, FeatureWorth.absence(of: feature, in: rows))
        }
        let page = featuresMarkdown(worths, missing: missing, machine: try Self.machine(stored), folders: folders)
        try writeFile(page, to: markdown, option: "--markdown")
    }

    /// `Linux 6.18, 2 processors, AMD EPYC, 2026-11-30`, of the first folder; others must be of the same machine.
    private static func machine(_ stored: [StoredFolder]) throws -> String {
        let machines = Set(stored.flatMap(\.rows).map(\.machineId))
        guard machines.count == 1 else {
            throw Failure(
                .noBaseline, "the folders are of several machines: \(machines.sorted().joined(separator: ", "))")
        }
        guard let description = try stored[0].description() else { return machines.joined() }
        let facts = description.machine
        let date = stored[0].rows.first?.startedAt.prefix(10) ?? ""
        let processors = "\(facts.processors) \(facts.processors == 1 ? "processor" : "processors")"
        return "Linux \(facts.kernel), \(processors), \(date)"
    }
}
