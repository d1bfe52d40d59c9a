/// Reads `100us`, `3ms`, `1.5s` as nanoseconds; a number alone is in seconds. Nil for anything else.
package func nanoseconds(_ text: some StringProtocol) -> UInt64? {
    let units: [(suffix: String, nanoseconds: Double)] = [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)]
    let unit = units.first { text.hasSuffix($0.suffix) }
    guard let value = Double(text.dropLast(unit?.suffix.count ?? 0)) else { return nil }
    let result = value * (unit?.nanoseconds ?? 1e9)
    // A day is far beyond any sensible run and far below what the arithmetic of clocks can hold.
    return result.isFinite && result >= 0 && result <= 86_400e9 ? UInt64(result) : nil
}
