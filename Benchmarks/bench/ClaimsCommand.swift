import ArgumentParser
import Foundation
import LinuxDescriptors
import Meters
import Records
import Workloads

/// `bench claims`: tests what is said about these interfaces on the running kernel.
struct ClaimsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claims", abstract: "Tests what is said about these interfaces on the running kernel.",
        discussion: """
            Each claim is an experiment with real sockets on the loopback interface. The verdict follows from what was \
            observed: holds, does-not-hold, depends or unsupported.
            """)

    @Option(parsing: .upToNextOption, help: "Names of claims; all if not given.")
    var only: [String] = []

    @Option(help: "File for the results.")
    var csv = "claims.csv"

    @Option(help: "File for a page with the table, in Markdown.")
    var markdown: String?

    func run() throws {
        let experiments = try Self.select(only)
        var records: [ClaimRecord] = []
        try save(records)
        let interruption = try Interruption(endsAtSecondSignal: true)
        _ = try? DescriptorLimit.raise()

        let width = Terminal.columns
        let styled = Terminal.isStyled
        let progress = ProgressBar(total: experiments.count, isShown: Terminal.showsProgress)
        var failures: [String] = []
        print("Linux \(MachineFacts.read().kernel)\n")
        print(claimsTableHeading(styled: styled), terminator: "")
        for (done, experiment) in experiments.enumerated() {
            progress.show(done: done, doing: experiment.id)
            let result = experiment.run()
            progress.clear()
            // What it saw may be the interruption's doing.
            if interruption.isRequested { throw ExitCode(Exit.interrupted.rawValue) }
            print(claimsTableEntry(result.record, width: width, styled: styled), terminator: "")
            records.append(result.record)
            try save(records)
            if result.failed { failures.append("\(experiment.id) \(result.record.detail)") }
        }
        print()
        say(Self.tally(records))
        say("Results: " + ([csv] + (markdown.map { [$0] } ?? [])).joined(separator: ", "))
        if !failures.isEmpty { throw Failure(.runFailed, failures.joined(separator: "; ")) }
    }

    /// Finds the experiments that are asked for. Names may be separated by commas or spaces.
    static func select(_ names: [String]) throws -> [Experiment] {
        let names = names.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        if names.isEmpty { return Experiment.all }
        for name in names where Experiment.named(name) == nil {
            throw Failure.unknown("claim", name, among: Experiment.all.map(\.id))
        }
        return Experiment.all.filter { names.contains($0.id) }
    }

    /// Writes the files aside and renames them, so that they are whole after every experiment.
    private func save(_ records: [ClaimRecord]) throws {
        try Self.write(ClaimRecord.csvHeader + records.map { $0.csvRow() }.joined(), to: csv, of: "--csv")
        guard let markdown else { return }
        let facts = MachineFacts.read()
        let date = Date.now.formatted(.iso8601.year().month().day())
        let page = claimsMarkdown(for: records, kernel: facts.kernel, processors: facts.processors, date: date)
        try Self.write(page, to: markdown, of: "--markdown")
    }

    private static func write(_ text: String, to path: String, of option: String) throws {
        try writeFile(text, to: path, advice: "name a file that you may write with \(option)")
    }

    private static func tally(_ records: [ClaimRecord]) -> String {
        ClaimVerdict.allCases.map { verdict in
            "\(records.filter { $0.verdict == verdict.rawValue }.count) \(verdict.rawValue)"
        }.joined(separator: ", ")
    }
}
