/// How a mode is drawn: the same in every picture, whatever else is in it.
///
/// The hues are those of Okabe and Ito, which readers of any colour vision tell apart, without the yellow that does
/// not show on white. Related modes share a hue and differ in the dash, so that a picture printed in grey reads too. A
/// variant has the hue of its mode, another dash, and marks in place of dots.
struct ModeStyle: Hashable, Sendable {
    var hue: Hue
    var dash: Dash
    var mark = Mark.dot

    enum Hue: String, CaseIterable, Sendable {
        case ink = "#1f2328"
        case orange = "#e69f00"
        case sky = "#56b4e9"
        case green = "#009e73"
        case blue = "#0072b2"
        case vermilion = "#d55e00"
        case purple = "#cc79a7"

        var onDark: String {
            switch self {
            case .ink: "#e6edf3"
            case .orange: "#f0b429"
            case .sky: "#8fd0f7"
            case .green: "#2fc79a"
            case .blue: "#4a9eda"
            case .vermilion: "#f0803c"
            case .purple: "#e39bc4"
            }
        }
    }

    enum Dash: String, CaseIterable, Sendable {
        case solid = "1"
        case dashed = "(5,3)"
        case dotted = "(1.5,2.5)"
        case dashDotted = "(7,2.5,1.5,2.5)"
    }

    /// What a measured value is drawn as, by gnuplot's number of its filled shape.
    enum Mark: Int, CaseIterable, Sendable {
        case dot = 7
        case square = 5
        case triangle = 9
        case nabla = 11
        case diamond = 13
        case pentagon = 15
    }

    private static let modes: [String: ModeStyle] = [
        "blocking": ModeStyle(hue: .ink, dash: .solid),
        "select": ModeStyle(hue: .purple, dash: .solid),
        "poll": ModeStyle(hue: .purple, dash: .dashed),
        "epoll-lt": ModeStyle(hue: .blue, dash: .solid),
        "epoll-exclusive": ModeStyle(hue: .blue, dash: .dashed),
        "epoll-et": ModeStyle(hue: .sky, dash: .solid),
        "epoll-et-exclusive": ModeStyle(hue: .sky, dash: .dashed),
        "epoll-oneshot": ModeStyle(hue: .green, dash: .solid),
        "dispatcher": ModeStyle(hue: .green, dash: .dashed),
        "interest-set": ModeStyle(hue: .blue, dash: .dotted),
        "uring-single": ModeStyle(hue: .orange, dash: .solid),
        "uring-poll": ModeStyle(hue: .orange, dash: .dashed),
        "uring-multishot": ModeStyle(hue: .vermilion, dash: .solid),
        "uring-direct": ModeStyle(hue: .vermilion, dash: .dashed),
        "descriptor-ring": ModeStyle(hue: .orange, dash: .dotted),
        "async-set": ModeStyle(hue: .blue, dash: .dashDotted),
        "async-ring": ModeStyle(hue: .orange, dash: .dashDotted),
    ]

    /// Variants by the mode that they are made from. A new one comes last, so that the others keep their looks.
    private static let variants = [
        "uring-multishot": [
            "uring-bundle", "uring-incremental", "uring-bundle-incremental", "uring-zerocopy", "uring-zerocopy-fixed",
            "uring-sqpoll", "uring-wait-for", "uring-min-wait", "uring-registered-wait", "uring-spin",
            "uring-registered-ring", "uring-no-mmap", "uring-mixed", "uring-napi", "uring-handoff",
        ],
        "epoll-lt": [
            "epoll-pwait2", "epoll-spin", "epoll-busy-poll", "epoll-splice", "epoll-sendfile", "epoll-mmsg",
            "epoll-gro", "epoll-vmsplice",
        ],
        "uring-poll": ["uring-epoll-wait"],
        "dispatcher": ["uring-dispatcher"],
    ]

    private static let known: [String: ModeStyle] = {
        var known = modes
        for (base, names) in variants {
            guard let style = modes[base] else { continue }
            let dashes = Dash.allCases.filter { $0 != style.dash }
            let marks = Mark.allCases.dropFirst()
            // Five marks and three dashes: fifteen looks, and two neighbours differ in both.
            for (index, name) in names.enumerated() {
                let mark = marks[marks.startIndex + index % marks.count]
                known[name] = ModeStyle(hue: style.hue, dash: dashes[index % dashes.count], mark: mark)
            }
        }
        return known
    }()

    /// The style of the mode called `name`. Names that are not in the table get one by a hash (FNV-1a), so that it
    /// does not depend on what else is drawn.
    static func of(mode name: String) -> ModeStyle {
        if let style = known[name] { return style }
        let hash = name.utf8.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        // The low bits of FNV-1a are its weakest.
        let choice = Int(hash >> 8) % (Hue.allCases.count * Dash.allCases.count)
        return ModeStyle(
            hue: Hue.allCases[choice % Hue.allCases.count], dash: Dash.allCases[choice / Hue.allCases.count])
    }

    /// `lc rgb '#0072b2' dt (5,3) lw 2.21`
    ///
    /// Each dash gets a slightly different width: gnuplot 5.4 writes an SVG line with the dash of the line before it when
    /// colour and width are the same.
    func line(width: Double) -> String {
        let hair = 0.01 * Double(Dash.allCases.firstIndex(of: dash) ?? 0)
        return "lc rgb '\(hue.rawValue)' dt \(dash.rawValue) lw \(GnuplotText.number(width + hair))"
    }

    /// Plot clauses that make marks of `data`, filled or as outlines.
    func dots(_ data: String, size: Double, areHollow: Bool = false) -> [String] {
        func clause(_ color: String, _ size: Double) -> String {
            "\(data) using 1:2 with points pt \(mark.rawValue) ps \(GnuplotText.number(size)) lc rgb '\(color)'"
        }
        let disc = clause(hue.rawValue, size)
        return areHollow ? [disc, clause(Theme.ground.rawValue, size * 0.5)] : [disc]
    }

    /// A mark by itself.
    func point(size: Double) -> String {
        "pt \(mark.rawValue) ps \(GnuplotText.number(size)) lc rgb '\(hue.rawValue)'"
    }

    var fill: String { "fc rgb '\(hue.rawValue)'" }
}

enum Theme: String, CaseIterable {
    case ground = "#ffffff"
    case ink = "#1f2329"
    case muted = "#59636e"
    case grid = "#d8dee4"
    case shade = "#eaeef2"
    case good = "#009e74"
    case bad = "#d55e01"
    case heat1 = "#dbe9f6"
    case heat2 = "#a6cbe6"
    case heat3 = "#5fa3d0"
    case heat4 = "#2a74b2"
    case heat5 = "#0b4a8f"
    case heat6 = "#082a5c"

    var onDark: String {
        switch self {
        case .ground: "#151b23"
        case .ink: "#e6edf4"
        case .muted: "#9ea9b5"
        case .grid: "#333c47"
        case .shade: "#262e38"
        case .good: "#2fc79b"
        case .bad: "#f0803d"
        case .heat1: "#12345c"
        case .heat2: "#1a4f8c"
        case .heat3: "#2a74b2"
        case .heat4: "#5fa3d0"
        case .heat5: "#a6cbe6"
        case .heat6: "#e8f2fb"
        }
    }

    static let heat: [Theme] = [.heat1, .heat2, .heat3, .heat4, .heat5, .heat6]
}
