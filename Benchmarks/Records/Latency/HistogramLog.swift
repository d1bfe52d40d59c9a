import FoundationEssentials
package import Histogram

/// `latency.hlog`: HdrHistogram's log format 1.3, one interval per run, tagged with the run's mode.
///
/// The lines are those that `HistogramLogWriter` of the Java implementation writes, so HdrHistogram's own tools and
/// plotters read the file.
package enum HistogramLog {
    package struct Interval: Sendable {
        /// Holds no comma, space or line break.
        package var tag: String
        package var startSeconds: Double
        package var lengthSeconds: Double
        package var histogram: Histogram<UInt64>

        package init(tag: String, startSeconds: Double, lengthSeconds: Double, histogram: Histogram<UInt64>) {
            self.tag = tag
            self.startSeconds = startSeconds
            self.lengthSeconds = lengthSeconds
            self.histogram = histogram
        }
    }

    static let version = "#[Histogram log format version 1.3]"
    static let legend = "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\""

    /// The lines that open a log.
    ///
    /// - Parameters:
    ///   - startSeconds: the log's start, seconds since 1970; the intervals' starts are relative to it.
    ///   - date: the same for people, such as `2026-01-31T12:00:00Z`.
    package static func header(startSeconds: Double, date: String) -> String {
        let seconds = Decimal.fixed(startSeconds, digits: 3)
        return """
            \(version)
            #[StartTime: \(seconds) (seconds since epoch), \(date)]
            #[BaseTime: \(seconds) (seconds since epoch)]
            \(legend)

            """
    }

    /// One interval's line, with its LF. By convention the longest latency in it is in milliseconds.
    package static func line(_ interval: Interval) -> String {
        let payload = Data(HistogramEncoding.encode(interval.histogram)).base64EncodedString()
        let fields = [
            Decimal.fixed(interval.startSeconds, digits: 3), Decimal.fixed(interval.lengthSeconds, digits: 3),
            Decimal.fixed(Double(interval.histogram.max) / 1_000_000, digits: 3), payload,
        ]
        return "Tag=\(tag(interval.tag))," + fields.joined(separator: ",") + "\n"
    }

    /// How a mode is called in a log, where a comma or a space would end the tag or the line.
    package static func tag(_ mode: String) -> String {
        String(mode.map { $0 == "," || $0.isWhitespace ? "_" : $0 })
    }
}
