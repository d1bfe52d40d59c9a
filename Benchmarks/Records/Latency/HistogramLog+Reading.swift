import FoundationEssentials
import Histogram

extension HistogramLog {
    /// Counters of all histograms of a log together, 1 GB of them.
    private static let mostCounters = 1 << 27

    /// The intervals of a log that ``line(_:)`` wrote.
    package static func read(_ bytes: [UInt8], file: String) throws(CSVError) -> [Interval] {
        var intervals: [Interval] = []
        var counters = 0
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let isComment = line.first == UInt8(ascii: "#") || line.first == UInt8(ascii: "\"")
            if line.isEmpty { continue }
            guard number < lines.count - 1 else {
                let message = "the last line is cut off: it does not end with a line feed"
                throw CSVError(file: file, line: number + 1, column: line.count + 1, message: message)
            }
            if isComment { continue }
            let interval = try IntervalLine(line, number: number + 1, file: file).interval()
            counters += HistogramLayout(of: interval.histogram)?.counterCount ?? 0
            guard counters <= mostCounters else {
                let message = "the histograms take more than 1 GB up to here"
                throw CSVError(file: file, line: number + 1, column: 1, message: message)
            }
            intervals.append(interval)
        }
        guard lines.first.map({ $0.elementsEqual(version.utf8) }) == true else {
            throw CSVError(file: file, line: 1, column: 1, message: "the first line is not \(version)")
        }
        return intervals
    }
}

private struct IntervalLine {
    private let fields: [ArraySlice<UInt8>]
    private let start: Int
    private let number: Int
    private let file: String

    init(_ line: ArraySlice<UInt8>, number: Int, file: String) throws(CSVError) {
        fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        start = line.startIndex
        self.number = number
        self.file = file
        guard fields.count == 5, fields[0].starts(with: "Tag=".utf8) else {
            throw CSVError(
                file: file, line: number, column: 1,
                message: "the histogram holds no line of the form Tag=MODE,start,length,max,payload")
        }
    }

    private func error(_ field: Int, _ message: String) -> CSVError {
        CSVError(file: file, line: number, column: fields[field].startIndex - start + 1, message: message)
    }

    func interval() throws(CSVError) -> HistogramLog.Interval {
        guard let tag = String(validating: fields[0].dropFirst(4), as: UTF8.self), !tag.contains("\0") else {
            throw error(0, "a tag that is not text")
        }
        let offset = try number(1, "start", least: -Double.greatestFiniteMagnitude)
        let length = try number(2, "length", least: 0)
        let longest = try number(3, "max", least: 0)
        guard let text = String(validating: fields[4], as: UTF8.self), let payload = Data(base64Encoded: text) else {
            throw error(4, "the histogram holds something that is not base64")
        }
        let histogram: Histogram<UInt64>
        do {
            histogram = try HistogramEncoding.decode([UInt8](payload))
        } catch {
            throw self.error(4, "the histogram holds \(error.description)")
        }
        // Written in milliseconds with three places.
        guard abs(Double(histogram.max) / 1_000_000 - longest) <= 0.001 + longest * 1e-9 else {
            throw error(3, "the longest latency is not that of the histogram")
        }
        return HistogramLog.Interval(tag: tag, startSeconds: offset, lengthSeconds: length, histogram: histogram)
    }

    private func number(_ field: Int, _ name: String, least: Double) throws(CSVError) -> Double {
        do {
            return try Double.parse(
                String(decoding: fields[field], as: UTF8.self), in: least...Double.greatestFiniteMagnitude)
        } catch {
            throw self.error(field, "the interval's \(name) \(error.message)")
        }
    }
}
