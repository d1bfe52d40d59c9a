import FoundationEssentials
public import Histogram

/// `latency.hlog`: HdrHistogram's log format 1.3, one interval per run, tagged with the run's mode.
///
/// The lines are those that `HistogramLogWriter` of the Java implementation writes, so HdrHistogram's own tools and
/// plotters read the file.
public enum HistogramLog {
    /// One run's histogram.
    public struct Interval: Sendable {
        /// The mode.
        public var tag: String
        /// Start of the measured window, seconds after the log's start.
        public var startSeconds: Double
        /// Length of the measured window, seconds.
        public var lengthSeconds: Double
        /// The latencies, ns.
        public var histogram: Histogram<UInt64>

        /// An interval; the tag must not hold a comma, a space or a line break.
        public init(tag: String, startSeconds: Double, lengthSeconds: Double, histogram: Histogram<UInt64>) {
            self.tag = tag
            self.startSeconds = startSeconds
            self.lengthSeconds = lengthSeconds
            self.histogram = histogram
        }
    }

    static let legend = "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\""

    /// The lines that open a log.
    ///
    /// - Parameters:
    ///   - startSeconds: the log's start, seconds since 1970; the intervals' starts are relative to it.
    ///   - date: the same for people, such as `2026-01-31T12:00:00Z`.
    public static func header(startSeconds: Double, date: String) -> String {
        let seconds = Decimal.fixed(startSeconds, digits: 3)
        return """
            #[Histogram log format version 1.3]
            #[StartTime: \(seconds) (seconds since epoch), \(date)]
            #[BaseTime: \(seconds) (seconds since epoch)]
            \(legend)

            """
    }

    /// One interval's line, with its LF. By convention the longest latency in it is in milliseconds.
    public static func line(_ interval: Interval) -> String {
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

    /// The intervals of a log that ``line(_:)`` wrote.
    ///
    /// - Parameter file: how errors call the file.
    public static func read(_ bytes: [UInt8], file: String) throws(CSVError) -> [Interval] {
        var intervals: [Interval] = []
        for (number, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let isComment = line.first == UInt8(ascii: "#") || line.first == UInt8(ascii: "\"")
            if line.isEmpty || isComment { continue }
            do {
                intervals.append(try interval(String(decoding: line, as: UTF8.self)))
            } catch {
                let message = "the histogram holds \(error.description)"
                throw CSVError(file: file, line: number + 1, column: 1, message: message)
            }
        }
        return intervals
    }

    private static func interval(_ line: String) throws(HistogramDecodingError) -> Interval {
        var fields = line.split(separator: ",", omittingEmptySubsequences: false)
        var tag = ""
        if let first = fields.first, first.hasPrefix("Tag=") {
            tag = String(first.dropFirst(4))
            fields.removeFirst()
        }
        guard fields.count == 4, let start = Double(fields[0]), let length = Double(fields[1]),
            start.isFinite, length.isFinite
        else { throw HistogramDecodingError("no line of the form Tag=MODE,start,length,max,payload") }
        guard let payload = Data(base64Encoded: String(fields[3])) else {
            throw HistogramDecodingError("something that is not base64")
        }
        let histogram = try HistogramEncoding.decode([UInt8](payload))
        return Interval(tag: tag, startSeconds: start, lengthSeconds: length, histogram: histogram)
    }
}
