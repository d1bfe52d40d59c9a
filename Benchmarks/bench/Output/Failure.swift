import Foundation
import Reports

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
    case undecided = 4
    case noBaseline = 5
    case nothingSupported = 6
    case usage = 64
    case interrupted = 130
}

/// Prints a message on standard error in one line, which a terminal gets wrapped between words.
func complain(_ message: String) {
    let line = "bench: \(printable(message))"
    let lines = Terminal.errorColumns.map { wrap(line, width: $0) } ?? [line]
    writeToStandardError(lines.joined(separator: "\n") + "\n")
}

/// `text` in one line without control characters: what was typed may hold line feeds and escape sequences.
private func printable(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: scalar.escaped(asASCII: true)
        default: String(scalar)
        }
    }.joined()
}

/// Writes to standard error; an error is ignored, since there is nowhere to report it.
func writeToStandardError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
