package struct TextTable {
    package enum Alignment { case left, right }

    package struct Heading {
        package var title: String
        /// Stands under the title, short: `/conn`.
        package var unit = ""
        package var alignment = Alignment.right
        /// Where the width does not suffice, the columns with the highest go first; 0 stays.
        package var rank = 0
        /// Whether the texts are sentences, which are wrapped; of the last column.
        package var wraps = false

        /// Title and unit in one: `CPU/conn`, `new/base [95.9 %]`.
        fileprivate var name: String { unit.isEmpty || unit.hasPrefix("/") ? title + unit : "\(title) \(unit)" }

        package init(
            title: String, unit: String = "", alignment: Alignment = .right, rank: Int = 0, wraps: Bool = false
        ) {
            self.wraps = wraps
            self.title = title
            self.unit = unit
            self.alignment = alignment
            self.rank = rank
        }
    }

    package enum Line {
        case cells([String])
        /// The first column's text, and what follows it in place of the others.
        case note(String, String)
        case section(String)
    }

    package var headings: [Heading]
    package var lines: [Line] = []

    package init(headings: [Heading]) { self.headings = headings }

    /// The width of the table with `gap` spaces between its columns.
    func naturalWidth(gap: Int) -> Int { columnWidths.reduce(0, +) + gap * (headings.count - 1) }

    private func leastWidth(gap: Int) -> Int {
        guard let last = headings.last, last.wraps else { return naturalWidth(gap: gap) }
        return naturalWidth(gap: gap) - max((columnWidths.last ?? 0) - Self.leastNote, 0)
    }

    /// The table without the columns that `width` has no room for, and the titles of these.
    private func fitted(to width: Int) -> (table: TextTable, dropped: [String]) {
        var table = self
        var dropped: [String] = []
        while table.leastWidth(gap: 1) > width,
            let index = table.headings.indices.max(by: { table.headings[$0].rank < table.headings[$1].rank }),
            table.headings[index].rank > 0
        {
            dropped.append(table.headings.remove(at: index).title)
            table.lines = table.lines.map { line in
                guard case .cells(var cells) = line else { return line }
                cells.remove(at: index)
                return .cells(cells)
            }
        }
        return (table, dropped)
    }

    /// The table, at most `width` columns wide where its words allow, every line ended by LF. Where it has no room,
    /// columns are left out by their rank; where that does not help, rows become paragraphs, each cell after its heading.
    package func render(width: Int, styled: Bool) -> String {
        guard leastWidth(gap: 1) <= width else {
            let (table, dropped) = fitted(to: width)
            guard table.leastWidth(gap: 1) <= width else { return paragraphs(width: width, styled: styled) }
            return table.render(width: width, styled: styled)
                + wrap("No room for: \(dropped.joined(separator: ", ")).", width: width).map { $0 + "\n" }.joined()
        }
        let gap = leastWidth(gap: 2) <= width ? 2 : 1
        let widths = columnWidths
        func aligned(_ cells: [String]) -> String {
            zip(zip(cells, widths), headings).map { pad($0.0, to: $0.1, $1.alignment) }
                .joined(separator: String(repeating: " ", count: gap)).trimmingTrailingSpaces
        }
        var text = style(aligned(headings.map(\.title)), "1", styled)
        if headings.contains(where: { !$0.unit.isEmpty }) { text += style(aligned(headings.map(\.unit)), "2", styled) }
        for line in lines {
            switch line {
            case .cells(let cells):
                for part in wrapped(cells, width: width, gap: gap) { text += aligned(part) + "\n" }
            case .section(let title):
                for part in wrap(title, width: width) { text += style(part, "1", styled) }
            case .note(let name, let note):
                let indent = widths[0] + gap
                guard width - indent >= Self.leastNote else {
                    text += paragraph(name, note, width: width, styled: styled)
                    continue
                }
                let wrapped = wrap(note, width: width - indent)
                for (index, part) in wrapped.enumerated() {
                    text += style(pad(index == 0 ? name : "", to: indent, .left) + part, "2", styled)
                }
            }
        }
        return text
    }

    private func wrapped(_ cells: [String], width: Int, gap: Int) -> [[String]] {
        guard headings.last?.wraps == true, let sentence = cells.last else { return [cells] }
        let column = columnWidths.dropLast().reduce(0) { $0 + $1 + gap }
        let parts = wrap(sentence, width: max(width - column, 1))
        let empty = cells.dropLast().map { _ in "" }
        guard let first = parts.first else { return [cells] }
        return [cells.dropLast() + [first]] + parts.dropFirst().map { empty + [$0] }
    }

    /// A note narrower than this stands under its name.
    private static let leastNote = 20

    /// Each line's first cell, and under it the others with their headings.
    private func paragraphs(width: Int, styled: Bool) -> String {
        lines.map { line in
            switch line {
            case .section(let title): wrap(title, width: width).map { style($0, "1", styled) }.joined()
            case .note(let name, let note): paragraph(name, note, width: width, styled: styled)
            case .cells(let cells):
                paragraph(
                    cells.first ?? "",
                    pairs: zip(headings, cells).dropFirst().filter { !$1.isEmpty }.map {
                        $0.wraps ? $1 : "\($0.name) \($1)"
                    }, width: width)
            }
        }.joined()
    }

    private func paragraph(_ name: String, _ note: String, width: Int, styled: Bool) -> String {
        wrap(name, width: width).map { style($0, "1", styled) }.joined()
            + wrap(note, width: max(width - 2, 1)).map { style("  " + $0, "2", styled) }.joined()
    }

    /// Breaks between the pairs, and within one only where it is wider by itself.
    private func paragraph(_ name: String, pairs: [String], width: Int) -> String {
        let parts = pairs.flatMap { $0.count > width - 2 ? wrap($0, width: max(width - 2, 1)) : [$0] }
        let lines = pack(parts, separator: "  ", width: width - 2)
        return (name.isEmpty ? "" : name + "\n") + lines.map { "  \($0)\n" }.joined()
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
        set(text, code, styled) + "\n"
    }
}

/// `text` in bold (1), dim (2) or another rendition of ECMA-48.
func set(_ text: String, _ code: String, _ styled: Bool) -> String {
    styled ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
}

package func pad(_ text: String, to width: Int, _ alignment: TextTable.Alignment) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return alignment == .left ? text + space : space + text
}

/// Joins parts into lines of at most `width`, broken between parts only.
package func pack(_ parts: [String], separator: String, width: Int) -> [String] {
    var lines: [String] = []
    for part in parts {
        if let last = lines.last, last.count + separator.count + part.count <= width {
            lines[lines.count - 1] = last + separator + part
        } else {
            lines.append(part)
        }
    }
    return lines
}

/// Breaks `text` between words into lines of at most `width`. A longer word is broken after a hyphen of its own; without
/// one, or as a path, which is to be copied, it keeps its line to itself.
package func wrap(_ text: String, width: Int) -> [String] {
    var parts: [String] = []
    var words = Array(text.split(whereSeparator: \.isWhitespace).reversed())
    while var word = words.popLast() {
        if word.count > width, !word.contains("/"), let hyphen = word.prefix(width).lastIndex(of: "-"),
            hyphen > word.startIndex
        {
            words.append(word[word.index(after: hyphen)...])
            word = word[...hyphen]
        }
        parts.append(String(word))
    }
    return pack(parts, separator: " ", width: width)
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        guard let end = lastIndex(where: { $0 != " " }) else { return "" }
        return String(self[...end])
    }
}
