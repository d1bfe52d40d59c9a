import ArgumentParser
import Foundation
import Records
import Reports
import Statistics

/// `bench choose`: which mode, or server, suits a kind of work on this machine.
struct ChooseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "choose", abstract: "Recommends a mode for a kind of server, and says what that rests on.",
        discussion: """
            Measures every candidate in interleaved blocks, drops those that are shown to be worse, and ends when the \
            rest is told apart or shown to be equal, or the budget is used up. With 95 % certainty the best is never \
            dropped, and nothing that is called equal costs more than --min-effect above it.

            Scenarios: \(Scenario.names.joined(separator: ", ")). Exit code 4 says that the budget did not suffice.
            """)

    @Option(help: "The kind of server; all in turn, briefly, if not given.")
    var scenario: String?

    @Option(help: "Modes that may be recommended, separated by commas, or all; the scenario's if not given.")
    var mode: String?

    @Option(parsing: .unconditionalSingleValue, help: "A server of yours that may be too, as NAME=COMMAND; repeatable.")
    var server: [String] = []

    @Option(parsing: .unconditional, help: "Server threads; 4 if not given.")
    var workers: String?

    @Option(parsing: .unconditional, help: "Connections that speak.")
    var connections: String?

    @Option(parsing: .unconditional, help: "Connections that never speak.")
    var idle: String?

    @Option(parsing: .unconditional, help: "Operations offered per second, the same to all.")
    var rate: String?

    @Option(help: "Time that a worker spends on each operation, as bench run takes it.")
    var serviceTime: String?

    @Option(name: .customLong("protocol"), help: "What is said: echo (default), http, redis, memcached or bytes.")
    var wire: String?

    @Option(parsing: .unconditional, help: "Candidates whose scores differ by less are equal, in percent.")
    var minEffect = "5"

    @Option(parsing: .unconditional, help: "Most time that all of it takes.")
    var budget = "120s"

    @Option(help: "Seed of the order; random if not given.")
    var seed: UInt64?

    @Option(help: "Folder for the runs; results/<time>-choose if not given.")
    var output: String?

    @Flag(help: "No progress, no table: the recommendation alone.")
    var quiet = false

    private var given: [(name: String, value: String)] {
        [
            ("--mode", mode), ("--workers", workers), ("--connections", connections), ("--idle", idle),
            ("--rate", rate), ("--service-time", serviceTime), ("--protocol", wire),
        ].compactMap { name, value in value.map { (name, $0) } } + server.map { ("--server", $0) }
    }

    func run() throws {
        let scenarios = try scenario.map { [try Scenario.named($0)] } ?? Scenario.all
        if scenario == nil, let option = given.first {
            throw Failure(.usage, "\(option.name) adjusts one scenario; name it with --scenario")
        }
        guard let percent = Double(minEffect), percent > 0, percent <= 100 else {
            throw Failure(.usage, "--min-effect takes a percentage such as 5, up to 100, not '\(minEffect)'")
        }
        let nanoseconds = try duration(budget, "--budget")
        Build.warnIfDebug()
        let path = output ?? ResultFolder.freshName("choose")
        var isUndecided = false
        for (index, scenario) in scenarios.enumerated() {
            if index > 0 { print() }
            let place = scenarios.count == 1 ? path : "\(path)/\(scenario.name)"
            let race = try ChoiceRace(
                scenario, given, seed: seed ?? freshSeed(), minEffect: percent / 100, path: place, quiet: quiet)
            let choice = try race.run(seconds: Double(nanoseconds) / 1e9 / Double(scenarios.count))
            for sentence in choice.sentences { say(sentence) }
            if !quiet {
                print()
                print(choice.table(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
                for note in race.notes(choice) { say(note) }
                say("Results: \(place)")
            }
            if race.isInterrupted { throw Failure(.interrupted, "interrupted; what it says is of the blocks so far") }
            if choice.best.isEmpty { throw Failure(.runFailed, "nothing of \(scenario.name) could be measured") }
            isUndecided = isUndecided || !choice.race.isDecided
        }
        if isUndecided { throw ExitCode(Exit.undecided.rawValue) }
    }
}
