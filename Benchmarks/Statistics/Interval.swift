package struct Interval: Sendable, Equatable, Codable {
    package var lower: Double
    package var upper: Double
    /// The probability, which discrete distributions make larger than what was asked for.
    package var confidence: Double

    /// Both ends mapped by an increasing function.
    package func mapped(_ transform: (Double) -> Double) -> Interval {
        Interval(lower: transform(lower), upper: transform(upper), confidence: confidence)
    }
}
