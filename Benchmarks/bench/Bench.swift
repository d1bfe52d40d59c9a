import ArgumentParser
import Foundation
import Records

/// The command line: one subcommand a file.
@main struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures how Linux tells a server that a socket has something to do.",
        discussion: """
            Runs the same workload over every mode, writes CSV and prints a table. Results go to standard output, \
            progress and warnings to standard error.

            Exit codes: 0 fine, 1 internal error, 2 regressed, 3 a run failed, was not made or could not be compared, \
            5 no baseline or another machine's, 6 nothing supported here, 64 usage, 130 interrupted.
            """,
        version: Version.line,
        subcommands: [
            RunCommand.self, ListCommand.self, ClaimsCommand.self, CompareCommand.self, CheckCommand.self,
            CalibrateCommand.self, HistoryCommand.self, PlotCommand.self, ReportCommand.self, ExportCommand.self,
            DoctorCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

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
            if let answer = try Shell.answer(Array(CommandLine.arguments.dropFirst())) {
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
                print(HelpText(fullMessage(for: error, columns: 10_000)).fitted(to: Terminal.columns))
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
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        let typed = CommandLine.arguments.dropFirst()
        let name = names.first { $0 == typed.first } ?? "run"
        if let option = message.firstMatch(of: /^Unknown option '([^']*)'/) {
            let options = CommandTree.read()?.command(name)?.options.compactMap(\.option) ?? []
            let near = didYouMean(String(option.1), among: options + ["--version"])
            return "unknown option '\(option.1)'\(near.isEmpty ? ";" : near) options: \(options.joined(separator: " "))"
        }
        // What stands where a command does is a command; elsewhere it is a word too many.
        if message.contains("nexpected argument") {
            guard let first = typed.first, !first.hasPrefix("-"), !names.contains(first) else {
                return "\(message); an option begins with --; see 'bench help \(name)'"
            }
            return Failure.unknown("command", first, among: names).message
                + "; everything else is an option and begins with --"
        }
        // The parser takes -1 for an option.
        if let option = message.firstMatch(of: /^Missing value for '(--[a-z-]+)/)?.1,
            let place = typed.firstIndex(of: String(option)), let value = typed.dropFirst(place).first,
            value.hasPrefix("-"), Double(value) != nil
        {
            return "\(option) does not take '\(value)'; see 'bench help \(name)'"
        }
        return "\(message); see 'bench help \(name)'"
    }

    /// No file and no folder has an empty name.
    private static func checkPaths() throws {
        let typed = Array(CommandLine.arguments.dropFirst())
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        let name = names.first { $0 == typed.first } ?? "run"
        for (word, next) in zip(typed, typed.dropFirst() + [" "]) {
            guard next.isEmpty || word.hasSuffix("="), word.hasPrefix("--") || word == name else { continue }
            let option = word.hasSuffix("=") ? String(word.dropLast()) : word
            switch OptionValues.of(option, command: name) {
            case .file, .folder: throw Failure(.usage, "\(option) takes a path, not ''; see 'bench help \(name)'")
            case .free where word == name:
                throw Failure(.usage, "'' is no result folder; see 'bench help \(name)'")
            default: continue
            }
        }
    }

    /// `bench help NONSENSE` is a mistake, and not a wish for all help.
    private static func checkHelp() throws {
        let typed = CommandLine.arguments.dropFirst()
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard typed.first == "help", typed.dropFirst().first != "help", let name = typed.dropFirst().first,
            !name.hasPrefix("-"), !names.contains(name)
        else { return }
        throw Failure.unknown("command", name, among: names)
    }
}

/// Why a command ends early, in one line, and with which exit code.
struct Failure: Error {
    let exit: Exit
    let message: String

    init(_ exit: Exit, _ message: String) {
        self.exit = exit
        self.message = message
    }
}

/// The exit codes, which scripts rely on.
enum Exit: Int32 {
    case fine = 0
    case internalError = 1
    case regressed = 2
    case runFailed = 3
    case noBaseline = 5
    case nothingSupported = 6
    case usage = 64
    case interrupted = 130
}

/// Says something on standard error: in one line, which a terminal gets wrapped between words.
func complain(_ message: String) {
    let line = "bench: \(printable(message))"
    let lines = Terminal.errorColumns.map { wrap(line, width: $0) } ?? [line]
    writeToStandardError(lines.joined(separator: "\n") + "\n")
}

/// `text` in one line that does nothing to a terminal: what was typed may hold line feeds and escape sequences.
private func printable(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: scalar.escaped(asASCII: true)
        default: String(scalar)
        }
    }.joined()
}

/// Writes to standard error if it can be written; there is nowhere to say that it cannot.
func writeToStandardError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
