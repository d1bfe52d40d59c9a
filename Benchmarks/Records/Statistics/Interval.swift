/// A range that holds an unknown value with a known probability.
public struct Interval: Sendable, Equatable, Codable {
    /// The lower end.
    public var lower: Double
    /// The upper end.
    public var upper: Double
    /// The probability, which discrete distributions make larger than what was asked for.
    public var confidence: Double

    /// Both ends mapped by an increasing function.
    func mapped(_ transform: (Double) -> Double) -> Interval {
        Interval(lower: transform(lower), upper: transform(upper), confidence: confidence)
    }
}
