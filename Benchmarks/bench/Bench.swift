import ArgumentParser
import Foundation

/// The command line: one subcommand a file.
@main struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures how Linux tells a server that a socket has something to do.",
        discussion: """
            Runs the same workload over every mode, writes CSV and prints a table. Results go to standard output, \
            progress and warnings to standard error.

            Exit codes: 0 fine, 1 internal error, 2 regressed, 3 a run failed, 5 no baseline or another machine's, \
            6 nothing supported here, 64 usage, 130 interrupted.
            """,
        subcommands: [
            RunCommand.self, ListCommand.self, ClaimsCommand.self, CompareCommand.self, CheckCommand.self,
            CalibrateCommand.self, HistoryCommand.self, PlotCommand.self, ReportCommand.self, ExportCommand.self,
            DoctorCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() {
        // Past the limit of `ulimit -f`, write(2) is to fail with EFBIG rather than the signal to end the program.
        signal(SIGXFSZ, SIG_IGN)
        let code = runCommand()
        if let complaint = Terminal.flushOutput() {
            complain(complaint)
            Foundation.exit(code == Exit.fine.rawValue ? Exit.runFailed.rawValue : code)
        }
        Foundation.exit(code)
    }

    private static func runCommand() -> Int32 {
        do {
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
                print(fullMessage(for: error))
            } else {
                complain(usageMessage(error))
            }
            return code.rawValue
        }
    }

    /// One line: what was wrong and what exists instead, or where to read what is meant.
    private static func usageMessage(_ error: any Error) -> String {
        let message = message(for: error).split(separator: "\n").first.map(String.init) ?? "usage"
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        let name = names.first { $0 == CommandLine.arguments.dropFirst().first } ?? "run"
        if message.hasPrefix("Unknown option") {
            let command = configuration.subcommands.first { $0.configuration.commandName == name }
            let help = helpMessage(for: command ?? RunCommand.self)
            let options = Set(help.matches(of: /--[a-z][a-z-]*/).map { String($0.output) }).sorted()
            return "\(message); options: \(options.joined(separator: " "))"
        }
        if message.contains("nexpected argument") {
            let known = names.joined(separator: ", ")
            return "\(message); commands: \(known); everything else is an option and begins with --"
        }
        return "\(message); see 'bench help \(name)'"
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

/// Says something on standard error.
func complain(_ message: String) {
    writeToStandardError("bench: \(message)\n")
}

/// Writes to standard error if it can be written; there is nowhere to say that it cannot.
func writeToStandardError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
