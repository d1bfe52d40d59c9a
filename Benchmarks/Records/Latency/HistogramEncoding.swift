package import Histogram

/// HdrHistogram's V2 encoding in its compressed envelope, as every HdrHistogram implementation reads it.
package enum HistogramEncoding {
    private static let encodingCookie: UInt32 = 0x1c84_9303 | 0x10
    private static let compressedCookie: UInt32 = 0x1c84_9304 | 0x10
    /// Counters that a histogram may have, 4 MB of them: a header of 40 bytes can ask for fifty times as much.
    private static let mostCounters = 1 << 19

    /// The histogram's counters, runs of zeros folded, in a zlib stream.
    package static func encode(_ histogram: Histogram<UInt64>) -> [UInt8] {
        var payload: [UInt8] = []
        let counters = encodeCounters(histogram)
        payload.appendBigEndian(encodingCookie)
        payload.appendBigEndian(UInt32(counters.count))
        payload.appendBigEndian(UInt32(0))  // normalizing index offset
        payload.appendBigEndian(UInt32(histogram.numberOfSignificantValueDigits.rawValue))
        payload.appendBigEndian(histogram.lowestDiscernibleValue)
        payload.appendBigEndian(histogram.highestTrackableValue)
        payload.appendBigEndian(Double(1).bitPattern)  // integer to double conversion ratio
        let stream = StoredZlib.encode(payload + counters)
        var envelope: [UInt8] = []
        envelope.appendBigEndian(compressedCookie)
        envelope.appendBigEndian(UInt32(stream.count))
        return envelope + stream
    }

    private static func encodeCounters(_ histogram: Histogram<UInt64>) -> [UInt8] {
        guard let layout = HistogramLayout(of: histogram) else { return [] }
        var bytes: [UInt8] = []
        var next = 0
        for step in histogram.recordedValues() {
            let index = layout.index(of: step.value)
            // A single zero costs the same either way; the other implementations write it as a count.
            switch index - next {
            case 0: break
            case 1: ZigZagLEB128.append(0, to: &bytes)
            default: ZigZagLEB128.append(-Int64(index - next), to: &bytes)
            }
            ZigZagLEB128.append(Int64(clamping: step.count), to: &bytes)
            next = index + 1
        }
        return bytes
    }

    /// The histogram in `bytes`, which must have come from ``encode(_:)`` or use stored deflate blocks as it does.
    package static func decode(_ bytes: [UInt8]) throws(HistogramDecodingError) -> Histogram<UInt64> {
        var rest = bytes[...]
        guard rest.takeBigEndian(UInt32.self) == compressedCookie else {
            throw HistogramDecodingError("no V2 compressed cookie")
        }
        guard let length = rest.takeBigEndian(UInt32.self) else { throw .truncated }
        guard rest.count == length else { throw HistogramDecodingError("a length that is not that of its content") }
        var payload = try StoredZlib.decode(rest)[...]
        let layout = try takeHeader(from: &payload)
        return try decodeCounters(payload, layout: layout)
    }

    private static func takeHeader(from payload: inout ArraySlice<UInt8>) throws(HistogramDecodingError)
        -> HistogramLayout
    {
        guard payload.takeBigEndian(UInt32.self) == encodingCookie else { throw HistogramDecodingError("no V2 cookie") }
        guard let length = payload.takeBigEndian(UInt32.self), let offset = payload.takeBigEndian(UInt32.self),
            let digits = payload.takeBigEndian(UInt32.self), let lowest = payload.takeBigEndian(UInt64.self),
            let highest = payload.takeBigEndian(UInt64.self), payload.takeBigEndian(UInt64.self) != nil
        else { throw .truncated }
        guard payload.count == length, offset == 0 else {
            throw HistogramDecodingError("a payload length or index offset that does not fit its content")
        }
        guard
            let layout = HistogramLayout(
                lowestDiscernibleValue: lowest, highestTrackableValue: highest,
                significantDigits: Int(digits))
        else { throw HistogramDecodingError("a value range that no histogram has") }
        guard layout.counterCount <= mostCounters else {
            throw HistogramDecodingError("a value range that takes more than \(mostCounters) counters")
        }
        return layout
    }

    private static func decodeCounters(
        _ counters: ArraySlice<UInt8>, layout: HistogramLayout
    ) throws(HistogramDecodingError) -> Histogram<UInt64> {
        var histogram = try emptyHistogram(layout)
        let length = layout.index(of: layout.highestTrackableValue) + 1
        var rest = counters
        var index = 0
        var sum: UInt64 = 0
        while !rest.isEmpty {
            guard let number = ZigZagLEB128.take(from: &rest) else { throw .truncated }
            let step = number < 0 ? number.magnitude : 1
            guard step <= UInt64(length - index) else {
                throw HistogramDecodingError("more counters than its range has")
            }
            if number > 0 {
                let end = layout.value(at: index + 1)
                try add(number.magnitude, times: end, to: &sum)
                histogram.record(layout.value(at: index), count: number.magnitude)
                // The exact longest value is not stored: as elsewhere it is taken from the end of its counter. Recording
                // it no times moves the maximum and nothing else.
                histogram.record(end - 1, count: 0)
            }
            index += Int(step)
        }
        return histogram
    }

    /// Throws where the histogram's iterators, which sum value times count, would trap.
    private static func add(_ count: UInt64, times value: UInt64, to sum: inout UInt64) throws(HistogramDecodingError) {
        let (product, tooLarge) = value.multipliedReportingOverflow(by: count)
        let (total, overflow) = sum.addingReportingOverflow(product)
        guard !tooLarge, !overflow else { throw HistogramDecodingError("counts too large to add up") }
        sum = total
    }

    private static func emptyHistogram(_ layout: HistogramLayout) throws(HistogramDecodingError) -> Histogram<UInt64> {
        guard let digits = SignificantDigits(rawValue: Int8(layout.significantDigits)) else {
            throw HistogramDecodingError("a precision that no histogram has")
        }
        return Histogram<UInt64>(
            lowestDiscernibleValue: layout.lowestDiscernibleValue,
            highestTrackableValue: layout.highestTrackableValue, numberOfSignificantValueDigits: digits)
    }
}

extension HistogramLayout {
    package init?(of histogram: Histogram<UInt64>) {
        self.init(
            lowestDiscernibleValue: histogram.lowestDiscernibleValue,
            highestTrackableValue: histogram.highestTrackableValue,
            significantDigits: Int(histogram.numberOfSignificantValueDigits.rawValue))
    }
}
