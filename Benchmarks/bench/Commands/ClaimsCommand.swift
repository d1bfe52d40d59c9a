import ArgumentParser
import Foundation
import LinuxDescriptors
import Meters
import Records
import Claims
import Reports
import Runs

struct ClaimsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claims", abstract: "Tests what is said about these interfaces on the running kernel.",
        discussion: """
            Each claim is an experiment with real sockets on the loopback interface. The verdict follows from what was \
            observed: holds, does-not-hold, depends, not-observable (the machine was too busy or too slow this time) or \
            unsupported (this kernel, user or limit does not allow it).
            """)

    @Option(parsing: .upToNextOption, help: "Names of claims; all if not given.")
    var only: [String] = []

    @Option(help: "File for the results.")
    var csv = "claims.csv"

    @Option(help: "File for a page with the table, in Markdown.")
    var markdown: String?

    func run() throws {
        let experiments = try Self.select(only)
        if let refusal = loopbackRefusal() { throw Failure(.nothingSupported, refusal) }
        let files = Files(csv: csv, markdown: markdown)
        try files.save([])
        let interruption = try Interruption(endsAtSecondSignal: true)
        _ = try? DescriptorLimit.raise()
        files.endWhenInterrupted(interruption)

        let styled = Terminal.isStyled
        let progress = ProgressBar(total: experiments.count, quiet: false)
        var records: [ClaimRecord] = []
        var failures: [String] = []
        /// An experiment that did not end, which would disturb the others.
        var stuck: String?
        print("Linux \(MachineFacts.read().kernel)\n")
        print(claimsTableHeading(styled: styled), terminator: "")
        for (done, experiment) in experiments.enumerated() {
            progress.show(done: done, doing: experiment.id)
            let record: ClaimRecord
            if let stuck {
                record = experiment.untried("\(stuck) did not end")
            } else {
                let (result, ended) = try experiment.run(within: Self.limitSeconds)
                record = result.record
                let failure = "\(experiment.id) \(record.detail)"
                if result.failed { failures.append(failure) }
                if !ended {
                    failures.append("\(failure); the claims after it were not tried")
                    stuck = experiment.id
                }
            }
            progress.clear()
            // What it saw may be the interruption's doing.
            if interruption.isRequested { throw ExitCode(Exit.interrupted.rawValue) }
            print(claimsTableEntry(record, width: Terminal.columns, styled: styled), terminator: "")
            records.append(record)
            try files.save(records)
        }
        print()
        say(Self.tally(records))
        say("Results: \(files.names)")
        if !failures.isEmpty { throw Failure(.runFailed, failures.joined(separator: "; ")) }
    }

    /// The longest experiment takes ten seconds on an idle machine; every single wait ends after less than this.
    private static let limitSeconds = 120.0

    static func select(_ names: [String]) throws -> [Experiment] {
        let names = names.flatMap(\.listed)
        if names.isEmpty { return Experiment.all }
        for name in names where Experiment.named(name) == nil {
            throw Failure.unknown("claim", name, among: Experiment.all.map(\.id))
        }
        return Experiment.all.filter { names.contains($0.id) }
    }

    private static func tally(_ records: [ClaimRecord]) -> String {
        ClaimVerdict.allCases.map { verdict in
            "\(records.filter { $0.verdict == verdict.rawValue }.count) \(verdict.rawValue)"
        }.joined(separator: ", ")
    }
}

extension ClaimsCommand {
    fileprivate struct Files: Sendable {
        let csv: String
        let markdown: String?
        let writing = NSLock()

        var names: String { [csv, markdown].compactMap { $0 }.joined(separator: ", ") }

        /// Writes them aside and renames them, so that they are whole after every experiment.
        func save(_ records: [ClaimRecord]) throws {
            try writing.withLock {
                let table = ClaimRecord.csvHeader + records.map { $0.csvRow() }.joined()
                try writeFile(table, to: csv, option: "--csv")
                guard let markdown else { return }
                let facts = MachineFacts.read()
                let date = Date.now.formatted(.iso8601.year().month().day())
                let page = claimsMarkdown(
                    for: records, kernel: facts.kernel, processors: facts.processors, date: date)
                try writeFile(page, to: markdown, option: "--markdown")
            }
        }

        /// Ends the program at once when interrupted, also within an experiment: what an experiment makes ends with the
        /// process, and the files are whole.
        func endWhenInterrupted(_ interruption: Interruption) {
            Thread.detachNewThread {
                interruption.wait()
                // A file that is written is done in a moment, unless it is a pipe that nobody reads.
                _ = writing.lock(before: Date.now.addingTimeInterval(2))
                writeToStandardError("\n")
                _ = Terminal.flushOutput()
                _exit(Exit.interrupted.rawValue)
            }
        }
    }
}
