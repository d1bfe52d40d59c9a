import ArgumentParser
import Foundation
import Records
import Reports

/// The command line: one subcommand a file.
@main struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures how Linux tells a server that a socket has something to do.",
        discussion: """
            Runs the same workload over every mode, writes CSV and prints a table. Results go to standard output, \
            progress and warnings to standard error.

            Exit codes: 0 fine, 1 internal error, 2 regressed, 3 a run failed, was not made or could not be compared, \
            4 undecided, 5 no baseline or another machine's, 6 nothing supported here, 64 usage, 130 interrupted.
            """,
        version: Version.line,
        subcommands: [
            RunOptions.self, ChooseCommand.self, ServeCommand.self, AgentCommand.self, LoadCommand.self,
            ListCommand.self,
            ClaimsCommand.self,
            CompareCommand.self, CheckCommand.self, CalibrateCommand.self, FeaturesCommand.self, HistoryCommand.self,
            PlotCommand.self, ReportCommand.self, ExportCommand.self,
            DoctorCommand.self,
        ],
        defaultSubcommand: RunOptions.self)

    private static let typed = Array(CommandLine.arguments.dropFirst())
    private static let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    /// The subcommand that was asked for.
    private static let command = names.first { $0 == typed.first } ?? "run"

    static func main() {
        // Past the limit of `ulimit -f`, write(2) is to fail with EFBIG rather than the signal to end the program.
        signal(SIGXFSZ, SIG_IGN)
        if let refusal = argumentsRefusal() {
            complain(refusal)
            Foundation.exit(Exit.internalError.rawValue)
        }
        let code = runCommand()
        if let complaint = Terminal.flushOutput() {
            complain(complaint)
            Foundation.exit(code == Exit.fine.rawValue ? Exit.runFailed.rawValue : code)
        }
        Foundation.exit(code)
    }

    private static func runCommand() -> Int32 {
        do {
            if let answer = try Shell.answer(typed, for: Self.self) {
                print(answer, terminator: "")
                return Exit.fine.rawValue
            }
            try checkHelp()
            try checkPaths()
            var command = try parseAsRoot()
            try command.run()
            return Exit.fine.rawValue
        } catch let failure as Failure {
            complain(failure.message)
            return failure.exit.rawValue
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                let help = HelpText(fullMessage(for: error, columns: 10_000), typed)
                print(help.fitted(to: Terminal.columns))
            } else {
                complain(usageMessage(error))
            }
            return code.rawValue
        }
    }

    /// One line: what was wrong, what was probably meant, and what exists instead or where to read about it.
    private static func usageMessage(_ error: any Error) -> String {
        var message = message(for: error).split(separator: "\n").first.map(String.init) ?? "usage"
        if message.last == "." { message.removeLast() }
        let advice = "see 'bench help \(command)'"
        if let option = message.firstMatch(of: /^Unknown option '([^']*)'/) {
            let options = CommandTree.read(Self.self)?.command(command)?.options.compactMap(\.option) ?? []
            let near = didYouMean(String(option.1), among: options + ["--version"])
            return "unknown option '\(option.1)'\(near.isEmpty ? ";" : near) options: \(options.joined(separator: " "))"
        }
        // The first word names a command; further ones are unexpected.
        if message.contains("nexpected argument") {
            guard let first = typed.first, !first.hasPrefix("-"), !names.contains(first) else {
                return "\(message); an option begins with --; \(advice)"
            }
            return Failure.unknown("command", first, among: names).message
                + "; everything else is an option and begins with --"
        }
        // The parser takes -1 for an option.
        if let option = message.firstMatch(of: /^Missing value for '(--[a-z-]+)/)?.1,
            let place = typed.firstIndex(of: String(option)), let value = typed.dropFirst(place + 1).first,
            value.hasPrefix("-"), Double(value) != nil
        {
            return "\(option) does not take '\(value)'; \(advice)"
        }
        return "\(message); \(advice)"
    }

    /// Refuses empty paths, which no file and no folder has.
    private static func checkPaths() throws {
        for (word, next) in zip(typed, typed.dropFirst() + [" "]) {
            guard next.isEmpty || word.hasSuffix("="), word.hasPrefix("--") || word == command else { continue }
            let option = word.hasSuffix("=") ? String(word.dropLast()) : word
            switch OptionValues.of(option, command: command) {
            case .file, .folder:
                throw Failure(.usage, "\(option) takes a path, not ''; see 'bench help \(command)'")
            case .free where word == command:
                throw Failure(.usage, "'' is no result folder; see 'bench help \(command)'")
            default: continue
            }
        }
    }

    /// Refuses `bench help NONSENSE`, for which the parser prints the help of the program.
    private static func checkHelp() throws {
        guard typed.count > 1, typed[0] == "help", typed[1] != "help", !typed[1].hasPrefix("-"),
            !names.contains(typed[1])
        else { return }
        throw Failure.unknown("command", typed[1], among: names)
    }
}
