/// gnuplot's SVG in half the bytes: without redundant markup, and its lines in steps of a tenth of a pixel.
///
/// A report holds every picture twice and is to be mailed.
enum CompactSVG {
    /// What the marks below stand for; belongs into the picture.
    static let style = "text{stroke:none;font-family:sans-serif}.l{fill:none;color:black;stroke:currentColor}"

    static func text(_ svg: String) -> String {
        let lines = svg.replacing("/>\t<g", with: "/>\n<g").split(separator: "\n")
        var kept: [String] = []
        for line in lines.map({ String($0.trimmingPrefix { $0 == "\t" || $0 == " " }) }) {
            if line.isEmpty || line == "<text></text>" { continue }
            if line == "</g>", let last = kept.last, last.hasPrefix("<g"), last.hasSuffix(">"), !last.contains("</") {
                kept.removeLast()
            } else {
                kept.append(short(line))
            }
        }
        let parts = kept.joined(separator: "\n").split(separator: "<", omittingEmptySubsequences: false)
        return parts.map(shape).joined(separator: "<").replacing("<>\n", with: "")
    }

    /// The beginning of a group without defaults.
    private static func short(_ line: String) -> String {
        if line.hasPrefix("<g id=\"gnuplot_plot_"), line.hasSuffix("</title>") { return "<g>" }
        guard line.hasPrefix("<g ") else { return line }
        let short = line.replacing(" stroke-linecap=\"butt\" stroke-linejoin=\"miter\"", with: "")
        if short == "<g fill=\"none\" color=\"black\" stroke=\"currentColor\" stroke-width=\"1.00\">" {
            return "<g class=\"l\">"
        }
        guard short.contains(" font-family=\"sans-serif\"") else { return short }
        return short.replacing(" font-family=\"sans-serif\"", with: "").replacing(" stroke=\"none\"", with: "")
    }

    /// A tag and what follows it up to the next one, its line or area in relative steps; `>` if it draws nothing.
    private static func shape(_ part: Substring) -> Substring {
        let isArea = part.hasPrefix("polygon ")
        guard isArea || part.hasPrefix("path "), let end = part.firstIndex(of: ">"),
            let start = part[..<end].firstRange(of: isArea ? " points = '" : " d='"),
            let quote = part[start.upperBound..<end].firstIndex(of: "'"),
            let steps = steps(part[start.upperBound..<quote])
        else { return part }
        let rest = part[part.index(after: end)...]
        if steps.isEmpty { return rest.isEmpty || rest == "\n" ? ">\n" : part }
        let name = part[..<start.lowerBound].dropFirst(isArea ? 7 : 4)
        return "path\(name) d='\(steps)\(isArea ? "z" : "")'\(part[part.index(after: quote)...])"
    }

    /// `M1.00,2.00 L3.04,4.00` as `M1,2l2,2`; empty if it only moves, `nil` if there is anything but that in it.
    static func steps(_ path: Substring) -> String? {
        var text = ""
        var at = (x: 0, y: 0)
        var draws = false
        for point in path.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let moves = point.hasPrefix("M") || text.isEmpty
            let numbers = point.drop { $0 == "M" || $0 == "L" }.split(separator: ",")
            guard numbers.count == 2, let x = tenths(numbers[0]), let y = tenths(numbers[1]) else { return nil }
            let isFirst = text.isEmpty
            // Pairs after a relative move or line are lines; those after the first move would be absolute.
            text += isFirst ? "M" : moves ? "m" : draws ? "" : "l"
            let step = pair(x - at.x, y - at.y)
            if let last = text.last, last.isNumber, step.first != "-" { text += " " }
            text += step
            draws = !isFirst
            at = (x, y)
        }
        return path.contains("L") || !path.contains("M") ? text : ""
    }

    private static func tenths(_ number: Substring) -> Int? {
        Double(number).flatMap { abs($0) < 1e6 ? Int(($0 * 10).rounded()) : nil }
    }

    private static func pair(_ x: Int, _ y: Int) -> String {
        y < 0 ? decimal(x) + decimal(y) : "\(decimal(x)),\(decimal(y))"
    }

    /// `-5` as `-.5`
    private static func decimal(_ tenths: Int) -> String {
        let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
        let digits = rest == 0 ? "\(whole)" : whole == 0 ? ".\(rest)" : "\(whole).\(rest)"
        return tenths < 0 ? "-\(digits)" : digits
    }
}
