/// Why bytes are not a histogram; completes the sentence "the histogram holds …".
package struct HistogramDecodingError: Error, Equatable, CustomStringConvertible, Sendable {
    package var description: String

    init(_ description: String) { self.description = description }

    static let truncated = HistogramDecodingError("too few bytes: it is cut off")
}
