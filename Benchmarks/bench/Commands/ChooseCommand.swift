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
            rest is told apart or shown to be equal, or the budget is used up. Of the candidates that race to the end, the \
            best is dropped, or one that costs more than --min-effect above it called equal, in one of twenty at most.

            Scenarios: \(Scenario.names.joined(separator: ", ")). Exit code 4 says that the budget did not suffice.
            """)

    @Option(help: "The kind of server; all in turn if not given.")
    var scenario: String?

    @Option(help: "Modes that may be recommended, separated by commas, or all; the scenario's if not given.")
    var mode: String?

    @Option(parsing: .unconditionalSingleValue, help: "A server of yours that may be too, as NAME=COMMAND; repeatable.")
    var server: [String] = []

    @Option(help: "Where bench agent listens, HOST:PORT, for servers on another host, as bench run takes it.")
    var agent: String?

    @Option(help: "The file of the secret of --agent; else BENCH_AGENT_SECRET.")
    var secretFile: String?

    @Option(parsing: .unconditional, help: "Server threads; 4 if not given.")
    var workers: String?

    @Option(parsing: .unconditional, help: "Connections that speak.")
    var connections: String?

    @Option(parsing: .unconditional, help: "Connections that never speak.")
    var idle: String?

    @Option(parsing: .unconditional, help: "Operations offered per second, the same to all.")
    var rate: String?

    @Option(help: "Instead of a rate: what decides is the highest that keeps p99=1ms, say; give it a longer --budget.")
    var slo: String?

    @Option(help: "Time that a worker spends on each operation, as bench run takes it.")
    var serviceTime: String?

    @Option(name: .customLong("protocol"), help: "What is said: echo (default), http, redis, memcached or bytes.")
    var wire: String?

    @Option(parsing: .unconditional, help: "Candidates whose scores differ by less are equal, in percent.")
    var minEffect = "5"

    @Option(
        parsing: .unconditional,
        help: "Time in all, which scenarios share; a block that has begun is finished, and the first always runs.")
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
            ("--rate", rate), ("--slo", slo), ("--service-time", serviceTime), ("--protocol", wire), ("--agent", agent),
            ("--secret-file", secretFile),
        ].compactMap { name, value in value.map { (name, $0) } } + server.map { ("--server", $0) }
    }

    func run() throws {
        let percent = try checked()
        let scenarios = try scenario.map { [try Scenario.named($0)] } ?? Scenario.all
        let nanoseconds = try duration(budget, "--budget")
        Build.warnIfDebug()
        let path = output ?? ResultFolder.freshName("choose")
        var exits: [Exit] = []
        for (index, scenario) in scenarios.enumerated() {
            if index > 0 { print() }
            do {
                let race = try ChoiceRace(
                    scenario, given, seed: seed ?? freshSeed(), minEffect: percent / 100,
                    seconds: Double(nanoseconds) / 1e9 / Double(scenarios.count),
                    path: scenarios.count == 1 ? path : "\(path)/\(scenario.name)", quiet: quiet)
                try race.run()
                show(race)
                if race.isInterrupted { throw Failure(.interrupted, "interrupted; the answer is of the blocks so far") }
                exits.append(Self.exit(race.choice))
            } catch let failure as Failure where scenarios.count > 1 && Self.concernsOne(failure.exit) {
                complain("\(scenario.name): \(failure.message)")
                exits.append(failure.exit)
            }
        }
        let exit = Self.worst(exits)
        if exit != .fine { throw ExitCode(exit.rawValue) }
    }

    /// The margin in percent.
    private func checked() throws -> Double {
        if scenario == nil, let option = given.first {
            throw Failure(.usage, "\(option.name) adjusts one scenario; name it with --scenario")
        }
        for (option, value) in [("--workers", workers), ("--connections", connections)]
        where value?.contains(",") == true {
            throw Failure(.usage, "\(option) takes one number here: a list would be several questions")
        }
        if !server.isEmpty, serviceTime != nil || scenario == "slow-requests" {
            throw Failure(
                .usage, "a service time is spent by our own loops alone, so no --server can be compared with them")
        }
        guard let percent = Double(minEffect), (0.1...100).contains(percent) else {
            throw Failure(.usage, "--min-effect takes a percentage from 0.1 up to 100, such as 5, not '\(minEffect)'")
        }
        return percent
    }

    private func show(_ race: ChoiceRace) {
        for sentence in race.choice.sentences { say(sentence) }
        guard !quiet else { return }
        print()
        print(race.choice.table(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
        for note in race.notes { say(note) }
        say("Results: \(race.path)")
    }

    private static func exit(_ choice: Choice) -> Exit {
        guard choice.best.isEmpty else { return choice.race.isDecided ? .fine : .undecided }
        let isUnsupported = choice.arms.allSatisfy { $0.records.allSatisfy { $0.status == .unsupported } }
        return isUnsupported ? .nothingSupported : .runFailed
    }

    /// Whether other scenarios may end otherwise.
    private static func concernsOne(_ exit: Exit) -> Bool { exit == .nothingSupported || exit == .runFailed }

    /// A failure before doubt; that nothing is supported, only of all.
    private static func worst(_ exits: [Exit]) -> Exit {
        if exits.contains(.runFailed) { return .runFailed }
        if exits.contains(.undecided) { return .undecided }
        return exits.allSatisfy { $0 == .nothingSupported } ? .nothingSupported : .fine
    }
}
