/// A table of aligned columns for a terminal.
package struct TextTable {
    /// Where a cell's text stands in its column.
    package enum Alignment { case left, right }

    /// The head of a column.
    package struct Heading {
        /// What the column shows.
        package var title: String
        /// Stands under the title, short: `/conn`.
        package var unit = ""
        /// Where its texts stand.
        package var alignment = Alignment.right
    }

    /// One line under the headings.
    package enum Line {
        /// One text per column.
        case cells([String])
        /// The first column's text, and what follows it in place of the others.
        case note(String, String)
        /// A heading within the table.
        case section(String)
    }

    /// The columns.
    package var headings: [Heading]
    /// What stands under them.
    package var lines: [Line] = []

    /// The width of the table with `gap` spaces between its columns.
    func naturalWidth(gap: Int) -> Int { columnWidths.reduce(0, +) + gap * (headings.count - 1) }

    /// The table, at most `width` columns wide where its contents allow, every line ended by LF.
    ///
    /// - Parameter styled: whether headings and notes are set off with ANSI bold and dim.
    func render(width: Int, styled: Bool) -> String {
        let gap = naturalWidth(gap: 2) <= width ? 2 : 1
        let widths = columnWidths
        func aligned(_ cells: [String]) -> String {
            zip(zip(cells, widths), headings).map { pad($0.0, to: $0.1, $1.alignment) }
                .joined(separator: String(repeating: " ", count: gap)).trimmingTrailingSpaces
        }
        var text = style(aligned(headings.map(\.title)), "1", styled)
        if headings.contains(where: { !$0.unit.isEmpty }) { text += style(aligned(headings.map(\.unit)), "2", styled) }
        for line in lines {
            switch line {
            case .cells(let cells): text += aligned(cells) + "\n"
            case .section(let title): text += style(title, "1", styled)
            case .note(let name, let note):
                let indent = widths[0] + gap
                let wrapped = wrap(note, width: max(20, width - indent))
                for (index, part) in wrapped.enumerated() {
                    text += style(pad(index == 0 ? name : "", to: indent, .left) + part, "2", styled)
                }
            }
        }
        return text
    }

    private var columnWidths: [Int] {
        var widths = headings.map { max($0.title.count, $0.unit.count) }
        for line in lines {
            switch line {
            case .cells(let cells):
                for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], cell.count) }
            case .note(let name, _): widths[0] = max(widths[0], name.count)
            case .section: break
            }
        }
        return widths
    }

    private func style(_ text: String, _ code: String, _ styled: Bool) -> String {
        styled ? "\u{1b}[\(code)m\(text)\u{1b}[0m\n" : text + "\n"
    }

    private func pad(_ text: String, to width: Int, _ alignment: Alignment) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return alignment == .left ? text + space : space + text
    }
}

/// Breaks `text` between words into lines of at most `width`; a longer word keeps its line to itself.
package func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
        if let last = lines.last, last.count + 1 + word.count <= width {
            lines[lines.count - 1] = last + " " + word
        } else {
            lines.append(String(word))
        }
    }
    return lines
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        guard let end = lastIndex(where: { $0 != " " }) else { return "" }
        return String(self[...end])
    }
}
