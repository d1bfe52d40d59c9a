import ArgumentParser
import Foundation
import Loops
import Meters
import Records
import Reports
import Statistics

struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Says what each feature is worth: the same runs with it and without.",
        discussion: """
            The folders hold runs of variants and of the modes that they are variants of ('bench list'), of several kinds \
            of listeners or signals, or of options such as --spin together with --compare-without:

              bench run --workload read --mode everything --rounds 8 --output DIR

            A round runs both in random order and gives a ratio. The median of the ratios is shown, and from six rounds on \
            its interval.
            """)

    @Argument(help: "Result folders, as 'bench run' wrote them.")
    var folders: [String]

    @Option(help: "File for a page with the figures, in Markdown; folders are linked as they are named here.")
    var markdown: String?

    func run() throws {
        let stored = try folders.map { try StoredFolder($0) }
        let rows = stored.map(\.rows)
        let features = Self.features + Feature.options(in: rows)
        let worths = FeatureWorth.measure(features, in: rows)
        guard !worths.isEmpty else {
            throw Failure(
                .runFailed,
                "no folder has usable runs with and without a feature in one round; run both, as in --mode everything or "
                    + "with --compare-without"
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

    /// What can be told apart by more than an option, in the order of the page.
    private static let features =
        Mode.variants.compactMap { mode in
            mode.base.map { Feature(name: mode.name, base: $0, kernel: mode.kernel, summary: mode.summary) }
        } + [
            Feature(
                name: ListenerSharing.reuseport.rawValue, base: ListenerSharing.shared.rawValue, kernel: "3.9",
                summary: "a listening socket for each worker; the kernel picks one by a hash of the addresses",
                column: .listener),
            Feature(
                name: ListenerSharing.reuseportIncomingProcessor.rawValue, base: ListenerSharing.reuseport.rawValue,
                kernel: "6.2", summary: "the kernel picks the listener that SO_INCOMING_CPU names for the processor",
                column: .listener),
            Feature(
                name: WakeSignal.signalfd.rawValue, base: WakeSignal.eventfd.rawValue, kernel: "2.6.22",
                summary: "real-time signals, read from a signalfd(2)", column: .signal),
            Feature(
                name: WakeSignal.ringTimeout.rawValue, base: WakeSignal.timerfd.rawValue, kernel: "5.4",
                summary: "a timeout of the ring, in place of a timerfd(2)", column: .signal),
            Feature(
                name: WakeSignal.waitTimeout.rawValue, base: WakeSignal.timerfd.rawValue, kernel: "2.6.28",
                summary: "the time limit of the wait itself, which the timer slack of the thread (50 us) delays",
                column: .signal),
            Feature(
                name: WakeSignal.waitTimeoutMilliseconds.rawValue, base: WakeSignal.timerfd.rawValue, kernel: "2.6.28",
                summary: "the time limit of the wait itself, rounded up to whole milliseconds", column: .signal),
        ]

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
        let length = median(stored.flatMap(\.rows).compactMap(\.durationS)).map { Int(($0 * 1000).rounded()) }
        let pinning = Set(stored.flatMap(\.rows).map(\.pinning)).subtracting(["", "none"]).sorted().joined(
            separator: "; ")
        let processors = "\(facts.processors) \(facts.processors == 1 ? "processor" : "processors")"
        return
            "Linux \(facts.kernel), \(processors), \(date); runs of \(length.map { "about \($0) ms" } ?? "unknown length"), pinned \(pinning.isEmpty ? "nowhere" : pinning)"
    }
}
