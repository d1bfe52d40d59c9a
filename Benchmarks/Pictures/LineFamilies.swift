/// Lines in groups that a reader can tell apart within one panel.
enum LineFamilies {
    /// More lines than this in a panel hide one another.
    static let mostLines = 7

    private static let classic = "blocking, select, poll"
    private static let known = [
        "blocking": classic, "select": classic, "poll": classic, "dispatcher": "epoll",
    ]

    /// All in one group, without a name, if they are few; else related modes together.
    static func groups<Line>(_ lines: [Line], mode: (Line) -> String) -> [(name: String, lines: [Line])] {
        guard lines.count > mostLines else { return [("", lines)] }
        var families = Dictionary(grouping: lines) { family(of: mode($0)) }
        let single = families.filter { $0.value.count == 1 && $0.key != "epoll" && $0.key != "uring" }
        if single.count > 1 {
            for (name, _) in single { families[name] = nil }
            let alone = Set(single.keys)
            families["others"] = lines.filter { alone.contains(family(of: mode($0))) }
        }
        return families.sorted { rank($0.key) < rank($1.key) }.flatMap { name, members in
            let parts = (members.count + mostLines - 1) / mostLines
            return (0..<parts).map { part in
                let (start, end) = (part * members.count / parts, (part + 1) * members.count / parts)
                let number = parts > 1 ? ", \(part + 1) of \(parts)" : ""
                return (name + number, Array(members[start..<end]))
            }
        }
    }

    private static func family(of mode: String) -> String {
        known[mode] ?? mode.split(separator: "-").first.map(String.init) ?? mode
    }

    private static func rank(_ name: String) -> (Int, String) {
        let order = [classic: 0, "epoll": 1, "uring": 2, "others": 4]
        return (order[name] ?? 3, name)
    }
}

/// The names of a panel's lines, at its right and as near to where each line ends as the others let it.
struct LineLabels {
    let entries: [(label: String, style: ModeStyle, end: Double)]

    private static let textSize = 11.0
    private static let step = 13.0
    private static let sampleWidth = 18.0

    static func width(_ labels: [String], _ layout: Layout) -> Double {
        let longest = labels.map { Double($0.count) * textSize * 0.6 }.max() ?? 0
        return min(longest + sampleWidth + 10, layout.width * 0.42)
    }

    func draw(_ drawing: inout Drawing, _ frame: Frame, _ axis: Axis) {
        let wanted = entries.map { entry in
            (entry, y: frame.bottom - axis.share(of: entry.end) * frame.height)
        }.sorted { $0.y < $1.y }
        var places: [Double] = []
        for (_, y) in wanted { places.append(max(y, places.last.map { $0 + Self.step } ?? frame.top)) }
        // What was pushed out below moves the ones above it up.
        var limit = frame.bottom + 4
        for index in places.indices.reversed() {
            places[index] = min(places[index], limit)
            limit = places[index] - Self.step
        }
        for ((entry, _), y) in zip(wanted, places) {
            let left = frame.right + 4
            drawing.line(entry.style.line(width: 2.2), from: (left, y), to: (left + Self.sampleWidth, y))
            // A dot would be most of so short a line, and is what every mode has that is no variant.
            if entry.style.mark != .dot {
                drawing.point(entry.style.point(size: 0.6), at: (left + Self.sampleWidth / 2, y))
            }
            drawing.text(entry.label, x: left + Self.sampleWidth + 4, y: y, size: Self.textSize)
        }
    }
}
