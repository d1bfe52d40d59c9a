import Foundation
import Records

struct Frame {
    var left: Double
    var top: Double
    var width: Double
    var height: Double

    var right: Double { left + width }
    var bottom: Double { top + height }
}

/// A gnuplot script in the making, and the data it plots.
///
/// Everything is placed in pixels, so that names stand beside a panel and a legend below it, never over data. All text
/// goes through ``GnuplotText``; from a file come numbers alone.
struct Drawing {
    let layout: Layout
    let height: Double
    private var script: [String] = []
    private var blocks: [String] = []
    private var labels: [String] = []

    enum Alignment: String { case left, center, right }

    init(layout: Layout, height: Double) {
        self.layout = layout
        self.height = height
    }

    /// Text, and marks beside panels, are drawn with the next panel.
    mutating func text(
        _ text: String, x: Double, y: Double, _ alignment: Alignment = .left, color: String = Theme.ink.rawValue,
        size: Double? = nil
    ) {
        let font = GnuplotText.number(size ?? layout.textSize)
        labels.append(
            "set label \(GnuplotText.quoted(text)) at \(screen(x, y)) \(alignment.rawValue) "
                + "font 'sans-serif,\(font)' textcolor rgb '\(color)'")
    }

    mutating func line(_ style: String, from start: (x: Double, y: Double), to end: (x: Double, y: Double)) {
        labels.append("set arrow from \(screen(start.x, start.y)) to \(screen(end.x, end.y)) nohead \(style)")
    }

    mutating func point(_ style: String, at place: (x: Double, y: Double)) {
        labels.append("set label '' at \(screen(place.x, place.y)) point \(style)")
    }

    mutating func note(_ text: String, x: Double, y: Double, _ alignment: Alignment = .left) {
        self.text(text, x: x, y: y, alignment, color: Theme.muted.rawValue, size: layout.smallTextSize)
    }

    mutating func rectangle(_ frame: Frame, color: String) {
        labels.append(
            "set object rectangle from \(screen(frame.left, frame.top)) to \(screen(frame.right, frame.bottom)) "
                + "fillcolor rgb '\(color)' fillstyle solid noborder")
    }

    private func screen(_ x: Double, _ y: Double) -> String {
        "screen \(fraction(x, of: layout.width)),\(fraction(height - y, of: height))"
    }

    private func fraction(_ value: Double, of whole: Double) -> String { Decimal.fixed(value / whole, digits: 5) }

    /// Adds rows to the data file; the result names them in a plot command.
    mutating func data(_ comment: String, _ rows: [[Double]]) -> String {
        let lines = rows.map { $0.map(GnuplotText.number).joined(separator: " ") }
        blocks.append((["# \(GnuplotText.printable(comment))"] + lines).joined(separator: "\n") + "\n")
        return "data index \(blocks.count - 1)"
    }

    /// A plot clause for rows of six numbers: a point within a box, and the box.
    mutating func boxes(_ comment: String, _ rows: [[Double]], _ color: String) -> String {
        "\(data(comment, rows)) using 1:2:3:4:5:6 with boxxyerror fs solid noborder fc rgb '\(color)'"
    }

    /// A plot clause for a line through the rows' points, broken at empty ones.
    mutating func lines(_ comment: String, _ rows: [[Double]], _ style: String) -> String {
        "\(data(comment, rows)) using 1:2 with lines \(style)"
    }

    /// Draws `plots`, gnuplot plot clauses, within `frame`; nothing if there are none.
    mutating func panel(_ frame: Frame, x: Axis, y: Axis, reversed: Bool = false, _ plots: [String]) {
        axisTexts(frame, x: x, y: y)
        script.append(contentsOf: labels)
        script += [
            "set lmargin at screen \(fraction(frame.left, of: layout.width))",
            "set rmargin at screen \(fraction(frame.right, of: layout.width))",
            "set tmargin at screen \(fraction(height - frame.top, of: height))",
            "set bmargin at screen \(fraction(height - frame.bottom, of: height))",
        ]
        script += settings("x", x, reversed: false) + settings("y", y, reversed: reversed)
        script.append("plot " + (plots.isEmpty ? ["NaN notitle"] : plots).joined(separator: ", \\\n     "))
        script += ["unset label", "unset arrow", "unset object", ""]
        labels = []
    }

    /// Ticks and titles are labels too: a tick's text is a format, in which `%` has a meaning.
    private mutating func axisTexts(_ frame: Frame, x: Axis, y: Axis) {
        var end = -Double.infinity
        for tick in x.ticks where x.range.contains(tick.value) {
            let place = frame.left + x.share(of: tick.value) * frame.width
            // A text that would run into the one before it is left out; its line stays.
            let half = Double(tick.text.count) * layout.smallTextSize * 0.28
            guard place - half > end else { continue }
            end = place + half + 3
            note(tick.text, x: place, y: frame.bottom + 12, .center)
        }
        for tick in y.ticks where y.range.contains(tick.value) {
            note(tick.text, x: frame.left - 6, y: frame.bottom - y.share(of: tick.value) * frame.height, .right)
        }
        if !x.title.isEmpty { note(x.title, x: frame.left + frame.width / 2, y: frame.bottom + 31, .center) }
        if !y.title.isEmpty { note(y.title, x: frame.left, y: frame.top - 12) }
    }

    private func settings(_ name: String, _ axis: Axis, reversed: Bool) -> [String] {
        let (low, high) = (GnuplotText.number(axis.range.lowerBound), GnuplotText.number(axis.range.upperBound))
        let ticks = axis.ticks.map { "'' \(GnuplotText.number($0.value))" }.joined(separator: ", ")
        return [
            axis.isLogarithmic ? "set logscale \(name) 10" : "unset logscale \(name)",
            "set \(name)range [\(reversed ? "\(high):\(low)" : "\(low):\(high)")]",
            axis.ticks.isEmpty ? "unset \(name)tics" : "set \(name)tics scale 0 (\(ticks))",
            axis.hasGrid && !axis.ticks.isEmpty ? "set grid \(name)tics" : "set grid no\(name)tics",
        ]
    }

    var dataFile: String { blocks.joined(separator: "\n\n") }

    /// The script that draws `name`.svg or .png from `name`.dat, all in the folder in which it is run.
    func scriptFile(name: String, format: PictureFormat) -> String {
        let rounded = height.rounded()
        func size(_ factor: Double) -> String {
            "size \(GnuplotText.number(layout.width * factor)),\(GnuplotText.number(rounded * factor))"
        }
        let font = GnuplotText.number(layout.textSize)
        let terminal =
            switch format {
            case .svg: "svg \(size(1))"
            case .png: "pngcairo \(size(2)) fontscale 1.5 linewidth 2 pointscale 2"
            }
        let look = "noenhanced font 'sans-serif,\(font)' background '\(Theme.ground.rawValue)'"
        let opening = [
            "# Draws \(name).\(format.rawValue) from \(name).dat: gnuplot \(name).gnuplot",
            "set terminal \(terminal) \(look)",
            "set output '\(name).\(format.rawValue)'",
            "data = '\(name).dat'",
            "set encoding utf8",
            "set border 0",
            "unset key",
            "set grid back lc rgb '\(Theme.grid.rawValue)' lt 1 lw 1",
            "set style fill solid noborder",
            "set multiplot",
            "",
        ]
        return (opening + script + ["unset multiplot", "unset output"]).joined(separator: "\n") + "\n"
    }
}

extension Axis {
    func share(of value: Double) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        guard isLogarithmic else { return (value - low) / (high - low) }
        return log(value / low) / log(high / low)
    }
}
