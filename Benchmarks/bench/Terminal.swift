import CBenchExtras
import Foundation
import Glibc
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

    /// Writes what is still buffered for standard output; what to say if any of it could not be written. A reader that
    /// went away wanted no more of it.
    static func flushOutput() -> String? {
        let error = c_flush_standard_output()
        return error == 0 || error == EPIPE ? nil : "standard output: \(Errno(rawValue: error))"
    }

    /// Columns of standard output; 80 where it is not a terminal.
    static var columns: Int {
        let columns = Int(c_terminal_columns(STDOUT_FILENO))
        return columns > 0 ? columns : 80
    }
}

/// One line on standard error that is drawn over as the runs go on.
struct ProgressBar {
    private let total: Int
    private let isShown: Bool
    private let start = Date()

    init(total: Int, isShown: Bool) {
        self.total = total
        self.isShown = isShown
    }

    func show(done: Int, doing: String) {
        guard isShown else { return }
        let width = 24
        let filled = total == 0 ? width : width * done / total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let elapsed = -start.timeIntervalSinceNow
        let left = done == 0 ? "" : ", \(Int((elapsed / Double(done) * Double(total - done)).rounded(.up))) s left"
        write("\r\u{1b}[K[\(bar)] \(done)/\(total) \(doing)\(left)")
    }

    func clear() {
        if isShown { write("\r\u{1b}[K") }
    }

    private func write(_ text: String) {
        writeToStandardError(text)
    }
}
