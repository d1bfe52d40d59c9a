import Foundation
import Meters
import Reports

/// The parser's help, with the options of one workload where one was named, fitted to a terminal: the parser wraps at no
/// less than the width of its labels, and breaks what a reader is to copy.
struct HelpText {
    private let lines: [String]
    private let command: String
    private let workload: Workload?

    /// - Parameter text: the help as the parser gives it for a terminal wide enough for every line.
    init(_ text: String, _ typed: [String]) {
        workload = Workload(in: typed)
        lines = Self.sorted(text, workload).components(separatedBy: "\n")
        let usage = lines.first { $0.hasPrefix("USAGE: bench") }?.split(separator: " ").dropFirst(2).first
        command = usage.map { $0.hasPrefix("<") ? "" : String($0) } ?? ""
    }

    /// Puts groups of options behind those that belong to none, and leaves out those that the named workload does not have.
    private static func sorted(_ text: String, _ workload: Workload?) -> String {
        let sections = text.components(separatedBy: "\n\n").map { $0.trimmingCharacters(in: .newlines) }
        let groups = sections.filter(isGroup)
        guard !groups.isEmpty else { return text }
        let own = groups.filter { section in
            let group = RunOptions.workloadGroups.first { section.hasPrefix("\($0.title.uppercased()):\n") }
            return group.map { workload == nil || $0.workloads.contains { $0 == workload } } ?? true
        }
        return (sections.filter { !isGroup($0) } + own).joined(separator: "\n\n") + "\n"
    }

    /// Whether a section has a heading that is not the parser's own.
    private static func isGroup(_ section: String) -> Bool {
        guard let heading = section.split(separator: "\n").first, heading.hasSuffix(":") else { return false }
        return heading == heading.uppercased() && !["ARGUMENTS:", "OPTIONS:", "SUBCOMMANDS:"].contains(heading)
    }

    /// At most `width` columns wide, but for words that are longer.
    func fitted(to width: Int) -> String {
        let help = lines.flatMap { Self.fit($0, width) }
        let examples = Examples.of(command: command, workload)
        guard !examples.isEmpty, lines.contains(where: { $0.hasPrefix("USAGE: ") }) else {
            return help.joined(separator: "\n")
        }
        let shown = examples.flatMap { example in
            wrap(example.does + ":", width: width - 2).map { "  " + $0 } + Self.commandLines(example.line, width)
        }
        let end = help.last?.isEmpty == true ? help.dropLast() : help[...]
        return (end + ["", "EXAMPLES:"] + shown).joined(separator: "\n")
    }

    /// Where the parser sets the text of an option.
    private static let textColumn = 26
    /// Below this width a text is set under its label.
    private static let leastText = 30

    private static func fit(_ line: String, _ width: Int) -> [String] {
        let indent = line.prefix { $0 == " " }.count
        let body = line.dropFirst(indent)
        guard !body.isEmpty else { return [""] }
        let narrow = width - textColumn < leastText
        if indent >= textColumn - 6 {
            return hang(String(body), at: narrow ? 6 : indent, width)
        }
        // A label as wide as its column has one blank behind it.
        let full = line.index(line.startIndex, offsetBy: textColumn - 1, limitedBy: line.endIndex)
        let isFull = full.map { body.hasPrefix("-") && $0 < line.endIndex && line[$0] == " " } ?? false
        let gap = body.firstRange(of: "  ") ?? (isFull ? full.map { $0..<line.index(after: $0) } : nil)
        guard narrow || line.count > width, let gap else {
            return line.count <= width ? [line] : hang(String(body), at: indent, width)
        }
        let label = String(body[..<gap.lowerBound])
        let text = body[gap.upperBound...].drop { $0 == " " }
        let column = line.count - text.count
        let start = hang(label, at: indent, width)
        if narrow || width - column < leastText { return start + hang(String(text), at: 6, width) }
        let wrapped = hang(String(text), at: column, width)
        let first = line.prefix(column) + (wrapped.first?.dropFirst(column) ?? "")
        return [String(first)] + wrapped.dropFirst()
    }

    private static func hang(_ text: String, at indent: Int, _ width: Int) -> [String] {
        wrap(text, width: max(width - indent, 1)).map { String(repeating: " ", count: indent) + $0 }
    }

    /// A command broken so that a shell takes it as it stands.
    private static func commandLines(_ line: String, _ width: Int) -> [String] {
        let whole = "      " + line
        guard whole.count > width else { return [whole] }
        let parts = wrap(line, width: max(width - 12, 1))
        return parts.enumerated().map { index, part in
            (index == 0 ? "      " : "          ") + part + (index < parts.count - 1 ? " \\" : "")
        }
    }
}
