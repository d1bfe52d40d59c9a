package enum PictureKind: String, Sendable, CaseIterable {
    /// Latency over percentile, the axis in nines.
    case latency
    case throughput
    /// Server CPU and system calls per operation: the honest ranking.
    case cost
    /// What each worker got, and wakeups.
    case fairness
    case growth
    /// Latency over the offered rate, with the bound that was to be kept.
    case capacity
    case time
    /// Two result folders, as ratios.
    case comparison
    /// Many result folders, as a trend.
    case history

    package var heading: String {
        switch self {
        case .latency: "Latency"
        case .throughput: "Throughput"
        case .cost: "Cost of one operation"
        case .fairness: "Fairness and wakeups"
        case .growth: "Growth"
        case .capacity: "Capacity under a bound"
        case .time: "Latency over time"
        case .comparison: "Comparison"
        case .history: "History"
        }
    }

    package var explanation: String {
        switch self {
        case .latency:
            "Each line is one mode over all rounds; the shade around it is the range of single rounds. Lower is better, "
                + "and what lies far to the right is what few but some clients see."
        case .throughput: "Each dot is a round, the bar their median."
        case .cost:
            "Each dot is a round, the bar their median; shorter is better. On loopback this ranks modes where throughput "
                + "cannot, since there the client is often the limit."
        case .fairness:
            "How often workers returned from waiting, and how often they went to sleep. Where there are several workers, "
                + "also what the busiest of a round got, then the next, as a mean over rounds."
        case .growth: "Each dot is a round; lines join the medians. Both axes are logarithmic."
        case .capacity:
            "Each dot is a run at one rate, a ring where it missed its bound, the dashed line, or was late, left a queue or "
                + "failed (capacity.csv says which); lines join the medians of near rates. The upright line is the median capacity, "
                + "the stroke on the bound where it lies. Both axes are logarithmic."
        case .time:
            "A column is a round and its cells are latencies, darker where more operations had them. Columns that differ "
                + "mean that something changed while measuring."
        case .comparison:
            "Each dot is new divided by base with its interval. Whatever lies within the shade is no larger than this "
                + "comparison can tell from chance or cares about."
        case .history: "Each point is the median of a stored run; a dashed line is where the level changed."
        }
    }
}

package struct Picture: Sendable {
    package let kind: PictureKind
    package let name: String
    package let title: String
    /// What it says, for those who do not see it.
    package let alternative: String
    package let size: (width: Double, height: Double)
    /// `name.dat`: numbers alone.
    package let data: String
    /// `name.gnuplot`, which draws `name.svg`.
    package let script: String

    init(_ kind: PictureKind, _ sheet: Sheet, title: String, alternative: String, drawing: Drawing) {
        (self.kind, name, self.title) = (kind, sheet.name, title)
        self.alternative = GnuplotText.printable(alternative, limit: 2000)
        size = (drawing.layout.width, drawing.height)
        data = drawing.dataFile
        script = drawing.scriptFile(name: name, format: sheet.format)
    }
}

package struct Pictures: Sendable {
    package var pictures: [Picture] = []
    package var notes: [String] = []
}

/// Why there is nothing to draw, completing the sentence "accept, latency: …".
struct NothingToDraw: Error {
    let reason: String
}
