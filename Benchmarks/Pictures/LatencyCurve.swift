import Foundation
import Records

/// The line of one arm: its latencies over all rounds, and their range from round to round.
struct LatencyCurve {
    let arm: PicturedArm
    private let whole: Distribution
    private let rounds: [Distribution]

    /// Where the lines begin, in nines: the fastest tenth would take up half of a logarithmic scale and tell little.
    private static let start = -log10(0.9)
    private static let step = 0.05

    /// `nil` without samples.
    init?(_ arm: PicturedArm, _ latencies: [(round: Int, latencies: Distribution)]) {
        rounds = latencies.map(\.latencies)
        whole = rounds.count == 1 ? rounds[0] : Distribution(adding: rounds)
        guard whole.count > 0 else { return nil }
        self.arm = arm
    }

    /// How deep the line goes.
    var nines: Double { max(whole.nines, 1) }

    func latency(nines: Double) -> Double { whole.latency(nines: nines) }

    /// What the scale must hold.
    var extremes: [Double] {
        let ends = rounds.flatMap { [$0.latency(nines: Self.start), $0.latency(nines: shadeEnd)] }
        return [latency(nines: Self.start), latency(nines: nines)] + (hasShade ? ends : [])
    }

    static func axis(nines: Double) -> Axis {
        let ticks = [0.30103] + (1...12).map(Double.init).filter { $0 <= nines + 0.001 }
        return Axis(
            range: start...(nines + 0.02), ticks: ticks.map { (percentileText(nines: $0), $0) },
            title: "percentile: so many were at least this fast")
    }

    private func places(upTo end: Double) -> [Double] {
        Array(stride(from: Self.start, to: end, by: Self.step)) + [end]
    }

    /// Nines and ns.
    private var rows: [[Double]] { places(upTo: nines).map { [$0, whole.latency(nines: $0)] } }

    func line(_ drawing: inout Drawing) -> String {
        let data = drawing.data("\(arm.label) \(arm.condition): nines, ns over all rounds", rows)
        return "\(data) using 1:2 with lines \(arm.style.line(width: 2.2))"
    }

    /// A dot at the line's end: a ring if the rate that was offered was not kept.
    func end(_ drawing: inout Drawing) -> [String] {
        let data = drawing.data("\(arm.label) \(arm.condition): end of the line", [[nines, latency(nines: nines)]])
        return arm.style.dots(data, size: 0.75, areHollow: !arm.group.keptItsRate)
    }

    /// The lowest and the highest of all lines, as far as any of them goes.
    static func envelope(_ curves: [LatencyCurve], _ drawing: inout Drawing) -> String {
        let end = curves.map(\.nines).max() ?? 1
        let rows = (curves.first?.places(upTo: end) ?? []).map { place -> [Double] in
            let values = curves.filter { $0.nines >= place }.map { $0.latency(nines: place) }
            return [place, values.min() ?? 1, values.max() ?? 1]
        }
        let data = drawing.data("all modes: nines, ns of the lowest and the highest", rows)
        return "\(data) using 1:2:3 with filledcurves fs solid noborder fc rgb '\(Theme.shade.rawValue)'"
    }

    /// As deep as every round supports.
    private var shadeEnd: Double { min(rounds.map(\.nines).min() ?? 0, nines) }

    /// Whether there are rounds to show the range of.
    var hasShade: Bool { rounds.count > 1 && shadeEnd > Self.start }

    /// The range of the rounds; `nil` for a single one.
    func shade(_ drawing: inout Drawing, alpha: Double) -> String? {
        guard hasShade else { return nil }
        let rows = places(upTo: shadeEnd).map { place -> [Double] in
            let values = rounds.map { $0.latency(nines: place) }
            return [place, values.min() ?? 1, values.max() ?? 1]
        }
        let data = drawing.data("\(arm.label) \(arm.condition): nines, ns of the lowest and highest round", rows)
        return "\(data) using 1:2:3 with filledcurves fs transparent solid \(alpha) noborder \(arm.style.fill)"
    }
}
