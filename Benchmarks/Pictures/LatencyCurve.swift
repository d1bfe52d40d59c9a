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

    init?(_ arm: PicturedArm, _ latencies: [(round: Int, latencies: Distribution)]) {
        rounds = latencies.map(\.latencies)
        whole = rounds.count == 1 ? rounds[0] : Distribution(adding: rounds)
        guard whole.count > 0 else { return nil }
        self.arm = arm
    }

    var nines: Double { max(whole.nines, 1) }

    func latency(nines: Double) -> Double { whole.latency(nines: nines) }

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

    func line(_ drawing: inout Drawing) -> String {
        drawing.lines(
            "\(arm.label) \(arm.condition): nines, ns over all rounds",
            places(upTo: nines).map { [$0, whole.latency(nines: $0)] }, arm.style.line(width: 2.2))
    }

    /// A dot at the line's end: a ring if the rate that was offered was not kept.
    func end(_ drawing: inout Drawing) -> [String] {
        let data = drawing.data("\(arm.label) \(arm.condition): end of the line", [[nines, latency(nines: nines)]])
        return arm.style.dots(data, size: 0.75, areHollow: !arm.group.keptItsRate)
    }

    /// The lowest and the highest of all lines, as far as any of them goes.
    static func envelope(_ curves: [LatencyCurve], _ drawing: inout Drawing) -> String {
        let places = curves.first?.places(upTo: curves.map(\.nines).max() ?? 1) ?? []
        let area = area("all modes: nines, ns of the lowest and the highest", places, &drawing) { place in
            curves.filter { $0.nines >= place }.map { $0.latency(nines: place) }
        }
        return "\(area) fs solid noborder fc rgb '\(Theme.shade.rawValue)'"
    }

    private static func area(
        _ comment: String, _ places: [Double], _ drawing: inout Drawing, latencies: (Double) -> [Double]
    ) -> String {
        let rows = places.map { place in
            let values = latencies(place)
            return [place, values.min() ?? 1, values.max() ?? 1]
        }
        return "\(drawing.data(comment, rows)) using 1:2:3 with filledcurves"
    }

    private var shadeEnd: Double { min(rounds.map(\.nines).min() ?? 0, nines) }

    var hasShade: Bool { rounds.count > 1 && shadeEnd > Self.start }

    /// The range of the rounds; `nil` for a single one.
    func shade(_ drawing: inout Drawing, alpha: Double) -> String? {
        guard hasShade else { return nil }
        let comment = "\(arm.label) \(arm.condition): nines, ns of the lowest and highest round"
        let area = Self.area(comment, places(upTo: shadeEnd), &drawing) { place in
            rounds.map { $0.latency(nines: place) }
        }
        return "\(area) fs transparent solid \(alpha) noborder \(arm.style.fill)"
    }
}
