/// Where a value's counter stands in an HdrHistogram's array: the encoding is a list of counters, and the histogram
/// type keeps its array to itself.
package struct HistogramLayout {
    let lowestDiscernibleValue: UInt64
    let highestTrackableValue: UInt64
    let significantDigits: Int
    private let unitMagnitude: Int
    private let subBucketHalfCountMagnitude: Int

    /// `nil` for what no histogram can be made of.
    init?(lowestDiscernibleValue: UInt64, highestTrackableValue: UInt64, significantDigits: Int) {
        guard (1...(1 << 32)).contains(lowestDiscernibleValue), (0...5).contains(significantDigits),
            highestTrackableValue <= UInt64(Int64.max), highestTrackableValue >= 2 * lowestDiscernibleValue
        else { return nil }
        self.lowestDiscernibleValue = lowestDiscernibleValue
        self.highestTrackableValue = highestTrackableValue
        self.significantDigits = significantDigits
        unitMagnitude = 63 - lowestDiscernibleValue.leadingZeroBitCount
        // The first power of two that resolves single units up to 2 · 10^digits.
        let resolved = (0..<significantDigits).reduce(2) { value, _ in value * 10 }
        subBucketHalfCountMagnitude = max(Int.bitWidth - (resolved - 1).leadingZeroBitCount, 1) - 1
        guard unitMagnitude + subBucketHalfCountMagnitude <= 61 else { return nil }
    }

    /// Counters of the first bucket; every further one adds half as many.
    package var subBucketCount: Int { 2 << subBucketHalfCountMagnitude }

    package var bucketCount: Int {
        let firstBucketBits = unitMagnitude + subBucketHalfCountMagnitude + 1
        return max(0, 64 - highestTrackableValue.leadingZeroBitCount - firstBucketBits) + 1
    }

    var counterCount: Int { (bucketCount + 1) << subBucketHalfCountMagnitude }

    func index(of value: UInt64) -> Int {
        let bucketZeroBits = unitMagnitude + subBucketHalfCountMagnitude + 1
        let bucket = max(0, 64 - value.leadingZeroBitCount - bucketZeroBits)
        let subBucket = Int(value >> UInt64(bucket + unitMagnitude))
        return (bucket << subBucketHalfCountMagnitude) + subBucket
    }

    /// The smallest value that counter `index` counts.
    func value(at index: Int) -> UInt64 {
        let half = 1 << subBucketHalfCountMagnitude
        let bucket = max(0, (index >> subBucketHalfCountMagnitude) - 1)
        let subBucket = index - bucket * half
        return UInt64(subBucket) << UInt64(bucket + unitMagnitude)
    }
}
