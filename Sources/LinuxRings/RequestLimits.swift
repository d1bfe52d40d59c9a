public import SystemPackage

/// The most bytes that one transfer moves: `MAX_RW_COUNT` of the kernel, `INT_MAX` without the last page.
@inlinable var largestTransferBytes: Int { 0x7fff_f000 }

/// How many bytes to ask for: a transfer of fewer than wanted is normal, so more than one can move are cut.
///
/// - Throws: `EINVAL` below `least`.
@inlinable @inline(__always)
func transferCount(_ count: Int, least: Int) throws(Errno) -> Int {
    if count < least { throw .invalidArgument }
    return min(count, largestTransferBytes)
}

/// A time as the kernel takes it: below 0 it is none at all, and a span of more than 34 years is as good as for ever.
/// What is less than a nanosecond is rounded up, so that a short wait does not become none.
///
/// - Parameter longest: the most seconds, which the kernel can add to its clock without a wrap; far longer times have
///   no components.
func kernelTime(_ duration: Duration, longest: Int64 = 1 << 30) -> (seconds: Int64, nanoseconds: Int64) {
    if duration <= .zero { return (0, 0) }
    if duration >= .seconds(longest) { return (longest, 0) }
    let (seconds, attoseconds) = duration.components
    let nanoseconds = (attoseconds + 999_999_999) / 1_000_000_000
    return nanoseconds == 1_000_000_000 ? (seconds + 1, 0) : (seconds, nanoseconds)
}
