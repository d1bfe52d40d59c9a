import ArgumentParser
import Foundation
import Records
import Workloads

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

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// The options of the comparison.
    func options(_ design: ComparisonOptions.Design) throws -> ComparisonOptions {
        var options = ComparisonOptions(design: design)
        options.minEffect = try Self.share(minEffect, of: "--min-effect") ?? options.minEffect
        options.drift = try Self.share(drift, of: "--drift")
        options.allowsMissing = allowMissing
        options.othersCount = !hasGating
        options.modeOrder = Mode.all.map(\.name)
        options.metrics = metrics.map(Self.list) ?? options.metrics
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

    /// The metrics of `--fail-on`.
    private var gating: [String]? {
        guard let named = failOn.map(Self.list)?.filter({ $0 != Self.doubt }), !named.isEmpty else { return nil }
        return named
    }

    /// Whether the user said what decides.
    var hasGating: Bool { gating != nil }

    /// The exit code of an outcome.
    func exit(_ outcome: Outcome) -> Exit {
        switch outcome {
        case .regressed: .regressed
        case .failed, .notCompared: .runFailed
        case .inconclusive: failOn.map(Self.list)?.contains(Self.doubt) == true ? .regressed : .fine
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

extension ComparisonError {
    /// The metric that an unknown one was probably meant to be.
    var nearMetric: String {
        if case .unknownMetric(let name) = self { didYouMean(name, among: Column.metrics.map(\.name)) } else { "" }
    }
}

extension Comparison {
    /// A comparison whose errors carry their exit codes.
    static func of(base: [RunRecord], new: [RunRecord], _ options: ComparisonOptions) throws -> Comparison {
        try refusing { () throws(ComparisonError) in
            try Comparison(base: inModeOrder(base), new: inModeOrder(new), options: options)
        }
    }

    /// What `body` returns; its errors carry their exit codes.
    static func refusing<Value>(_ body: () throws(ComparisonError) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            let exit: Exit =
                switch error {
                case .differentMachines: .noBaseline
                case .noRuns: .runFailed
                case .unknownMetric, .noBetterSide: .usage
                }
            throw Failure(exit, error.description + error.nearMetric)
        }
    }

    /// Prints the table, after a line that says what is compared.
    func show(_ title: String) {
        for line in title.split(separator: "\n") { say(String(line)) }
        print(table(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
    }
}

/// Says on standard error which rows take no part in a comparison.
func complainOfUnusable(_ rows: [RunRecord], side: String) {
    let states = Dictionary(grouping: rows.filter { $0.status != .ok }, by: \.status)
    let phrases = Status.allCases.compactMap { status in states[status].map { "\($0.count) \(status.rawValue)" } }
    if !phrases.isEmpty { complain("left out of \(side): \(phrases.joined(separator: ", ")); column reason says why") }
}

/// True if a run ended badly and was not made up for by a later try.
func hasFailedRuns(_ rows: [RunRecord]) -> Bool {
    RunSession.lastTries(rows).contains { $0.status == .failed || $0.status == .void }
}
