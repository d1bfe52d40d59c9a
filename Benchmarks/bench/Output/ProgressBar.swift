import Foundation

/// One line on standard error that is drawn over as the runs go on.
struct ProgressBar {
    private let total: Int
    private let isShown: Bool
    private let start = Date()

    init(total: Int, quiet: Bool) {
        self.total = total
        isShown = Terminal.showsProgress && !quiet
    }

    func show(done: Int, doing: String) {
        guard isShown else { return }
        let elapsed = -start.timeIntervalSinceNow
        let left = done == 0 ? "" : ", \(Int((elapsed / Double(done) * Double(total - done)).rounded(.up))) s left"
        let text = " \(done)/\(total) \(doing)\(left)"
        // A line that the terminal wraps cannot be drawn over; its last column stays free.
        let room = (Terminal.errorColumns ?? 80) - 1
        let width = min(24, room - text.count - 2)
        guard width >= 4 else { return writeToStandardError("\r\u{1b}[K\(text.dropFirst().prefix(room))") }
        let filled = total == 0 ? width : width * done / total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        writeToStandardError("\r\u{1b}[K[\(bar)]\(text)")
    }

    func clear() {
        if isShown { writeToStandardError("\r\u{1b}[K") }
    }
}
