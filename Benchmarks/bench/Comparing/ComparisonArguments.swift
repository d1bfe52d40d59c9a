import ArgumentParser
import Loops
import Reports

/// What `compare` and `check` have in common: what counts as a change and what follows from it.
struct ComparisonArguments: ParsableArguments {
    @Option(help: "The smallest change that matters: 0.02 or 2%, which it is if not given.")
    var minEffect: String?

    @Option(help: "Metrics to show, column names separated by commas.")
    var metrics: String?

    @Option(
        help: """
            Metrics that decide the verdict and the exit code, separated by commas; with 'inconclusive' among them \
            doubt fails too.
            """)
    var failOn: String?

    @Option(
        help: """
            How far times may have drifted between two folders: 0.1 or 10%. If not given, what bench calibrate saw, \
            else 40% of CPU time and 50% of others.
            """)
    var drift: String?

    @Flag(help: "Accepts what only one side has, what failed on one and what could not be run; else exit code 3.")
    var allowMissing = false

    @Flag(help: "Compares runs of different machines nevertheless.")
    var force = false

    private static let doubt = "inconclusive"

    func options(_ design: ComparisonOptions.Design) throws -> ComparisonOptions {
        var options = ComparisonOptions(design: design)
        options.minEffect = try Self.share(minEffect, of: "--min-effect") ?? options.minEffect
        options.drift = try Self.share(drift, of: "--drift")
        options.allowsMissing = allowMissing
        options.othersCount = !hasGating
        options.modeOrder = Mode.every.map(\.name)
        options.metrics = metrics?.listed ?? options.metrics
        options.gating = gating ?? options.gating
        options.allowsDifferentMachines = force
        try Comparison.refusing { () throws(ComparisonError) in try Comparison.validate(options) }
        return options
    }

    private static func share(_ text: String?, of option: String) throws -> Double? {
        guard let text else { return nil }
        let isPercent = text.hasSuffix("%")
        guard let number = Double(isPercent ? String(text.dropLast()) : text), number.isFinite,
            (0...1).contains(isPercent ? number / 100 : number)
        else { throw Failure(.usage, "\(option) takes a share such as 2% or 0.02, not '\(text)'") }
        return isPercent ? number / 100 : number
    }

    private var gating: [String]? {
        guard let named = failOn?.listed.filter({ $0 != Self.doubt }), !named.isEmpty else { return nil }
        return named
    }

    var hasGating: Bool { gating != nil }

    private func exit(_ outcome: Outcome) -> Exit {
        switch outcome {
        case .regressed: .regressed
        case .failed, .notCompared: .runFailed
        case .inconclusive: failOn?.listed.contains(Self.doubt) == true ? .regressed : .fine
        case .same, .improved: .fine
        }
    }

    /// Ends a command with the line that tells what it found, which is the last on standard output, and on standard
    /// error too where that leads elsewhere.
    func end(_ comparisons: [Comparison]) throws {
        let headline = Headline(comparisons)
        say(headline.text)
        if !Terminal.outputsMeet {
            _ = Terminal.flushOutput()
            writeToStandardError(headline.text + "\n")
        }
        let exit = exit(headline.outcome)
        if exit != .fine { throw ExitCode(exit.rawValue) }
    }
}

/// The options of `compare --binaries` and of `check`, which runs two programs too.
struct InterleavedOptions: ParsableArguments {
    @Option(help: "Blocks, each holding every mode of both programs once; 20 if not given.")
    var blocks: Int?

    @Option(help: "Blocks at the most, where the first leave doubt; twice --blocks if not given.")
    var maxBlocks: Int?

    @Option(help: "Seed of the order; random if not given.")
    var seed: UInt64?

    @Option(help: "Folder for the runs; if not given, compare makes results/<time>-compare and check keeps none.")
    var output: String?

    var firstBlocks: Int { blocks ?? 20 }
    var mostBlocks: Int { maxBlocks ?? 2 * firstBlocks }
}

/// Ends a comparison that came to nothing with a line on standard output that says so. Mistakes in the call, and the
/// lack of a baseline, have their line on standard error alone.
func tellingTheOutcome(_ compare: () throws -> Void) throws {
    do {
        try compare()
    } catch let failure as Failure {
        switch failure.exit {
        case .runFailed, .nothingSupported: print("\(Outcome.failed.rawValue) \(failure.message)")
        case .interrupted: print("\(Outcome.notCompared.rawValue) \(failure.message)")
        default: break
        }
        throw failure
    }
}
