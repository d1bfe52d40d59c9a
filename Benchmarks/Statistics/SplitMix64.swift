/// A small seeded generator, so that an order or a permutation test can be repeated from the seed in `run.json`.
///
/// After G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
@usableFromInline @frozen package struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    /// A generator whose every number follows from `seed`.
    @inlinable package init(seed: UInt64) { state = seed }

    @inlinable package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be 0; each is equally likely.
    @inlinable package mutating func next(below bound: UInt64) -> UInt64 {
        // D. Lemire, "Fast Random Integer Generation in an Interval", TOMACS 2019.
        var product = next().multipliedFullWidth(by: bound)
        let threshold = (0 &- bound) % bound
        while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        return product.high
    }
}

extension Array {
    /// The elements in an order drawn from `generator`, every order equally likely.
    ///
    /// The standard library's `shuffled(using:)` may change its algorithm and with it the order that a stored seed
    /// stands for; this is Fisher and Yates's and stays.
    package func seededShuffle(using generator: inout SplitMix64) -> [Element] {
        var shuffled = self
        for last in stride(from: count - 1, to: 0, by: -1) {
            shuffled.swapAt(last, Int(generator.next(below: UInt64(last + 1))))
        }
        return shuffled
    }
}

/// The order of the arms in each block: every block holds every arm once, each in an order of its own.
///
/// - Returns: per block, the arms' indices.
package func blockOrders(arms: Int, blocks: Int, seed: UInt64) -> [[Int]] {
    var generator = SplitMix64(seed: seed)
    return (0..<blocks).map { _ in Array(0..<arms).seededShuffle(using: &generator) }
}
