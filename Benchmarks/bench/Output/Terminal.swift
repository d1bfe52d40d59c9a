import CBenchExtras
import Foundation
import Glibc
import Reports
import SystemPackage

/// What standard output and error are connected to.
enum Terminal {
    private static var isDumb: Bool { ProcessInfo.processInfo.environment["TERM"] == "dumb" }

    /// True if progress can be drawn over on standard error.
    static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }

    /// True if standard output understands bold and dim, and the user wants them.
    static var isStyled: Bool {
        let noColor = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        return isatty(STDOUT_FILENO) == 1 && !isDumb && noColor.isEmpty
    }

    /// Flushes standard output; a message if that failed. A reader that closed the pipe is no failure.
    static func flushOutput() -> String? {
        let error = c_flush_standard_output()
        return error == 0 || error == EPIPE ? nil : "standard output: \(Errno(rawValue: error).named)"
    }

    /// True if what is written to standard output and to standard error ends up in one place.
    static var outputsMeet: Bool {
        let places = [STDOUT_FILENO, STDERR_FILENO].map { descriptor in
            var status = stat()
            return unsafe fstat(descriptor, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : []
        }
        return places[0] == places[1]
    }

    /// Columns for tables: those of standard output's terminal, or that the user wants; 80 where neither is known.
    static var columns: Int { textColumns ?? 80 }

    /// Columns for sentences; nil where standard output is no terminal, whose reader is a program: it gets them whole.
    static var textColumns: Int? { wantedColumns ?? columns(of: STDOUT_FILENO) }

    /// Columns for what is said on standard error; nil where that is no terminal.
    static var errorColumns: Int? { columns(of: STDERR_FILENO) }

    /// What `COLUMNS` says, as environ(7) has it.
    private static var wantedColumns: Int? {
        ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }.flatMap {
            (1...mostColumns).contains($0) ? $0 : nil
        }
    }

    private static let mostColumns = 10_000

    private static func columns(of descriptor: CInt) -> Int? {
        let columns = Int(c_terminal_columns(descriptor))
        return columns > 0 ? columns : nil
    }
}

/// Prints a text that is meant to be read, wrapped between words where standard output is a terminal.
///
/// - Parameters:
///   - start: what its first line begins with and its others leave free; on a narrow terminal it has a line of its own.
///   - indent: how far all its lines stand to the right, where there is room for that.
func say(_ text: String, after start: String = "", indent: Int = 0) {
    let column = start.count + indent
    guard let width = Terminal.textColumns else {
        return print(String(repeating: " ", count: indent) + start + text)
    }
    let narrow = width - column < 24
    let room = narrow ? min(column, 4) : column
    let lines = wrap(text, width: max(width - room, 1)).map { String(repeating: " ", count: room) + $0 }
    guard !start.isEmpty else { return lines.forEach { print($0) } }
    guard !narrow else { return (wrap(start, width: width) + lines).forEach { print($0) } }
    print(String(repeating: " ", count: indent) + start + (lines.first?.dropFirst(room) ?? ""))
    for line in lines.dropFirst() { print(line) }
}
