import ArgumentParser
import Workloads

/// Reads `100us`, `3ms`, `1.5s` as nanoseconds; a number alone is in seconds. Nil for anything else.
func nanoseconds(_ text: some StringProtocol) -> UInt64? {
    let units: [(suffix: String, nanoseconds: Double)] = [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)]
    let unit = units.first { text.hasSuffix($0.suffix) }
    guard let value = Double(text.dropLast(unit?.suffix.count ?? 0)) else { return nil }
    let result = value * (unit?.nanoseconds ?? 1e9)
    // A day is far beyond any sensible run and far below what the arithmetic of clocks can hold.
    return result.isFinite && result >= 0 && result <= 86_400e9 ? UInt64(result) : nil
}

/// Reads `none`, `fixed:T`, `exp:T` or `bimodal:FAST,SLOW,PROBABILITY`.
func serviceDistribution(_ text: String) -> ServiceTime.Distribution? {
    if text == "none" { return ServiceTime.Distribution.none }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let values = parts[1].split(separator: ",", omittingEmptySubsequences: false)
    switch (parts[0], values.count) {
    case ("fixed", 1): return nanoseconds(values[0]).map { .fixed($0) }
    case ("exp", 1): return nanoseconds(values[0]).map { .exponential(mean: $0) }
    case ("bimodal", 3):
        guard let fast = nanoseconds(values[0]), let slow = nanoseconds(values[1]), let share = Double(values[2]),
            (0...1).contains(share)
        else { return nil }
        return .bimodal(fast: fast, slow: slow, probability: share)
    default: return nil
    }
}

/// No count of threads or connections can be larger: what is computed from them is to fit a machine word.
let mostCount = 1_000_000_000

/// Reads a list of counts, `1,64,1000`; nil unless all are between 1 and ``mostCount``.
func counts(_ text: String) -> [Int]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let values = parts.compactMap { $0 }.filter { (1...mostCount).contains($0) }
    return values.count == parts.count ? values : nil
}

/// Reads a comma-separated list of names of an enumeration, or `all`.
func choices<Choice: CaseIterable & RawRepresentable<String>>(
    _ text: String, option: String
) throws -> [Choice] {
    if text == "all" { return Array(Choice.allCases) }
    return try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
        guard let choice = Choice(rawValue: String(name)) else {
            throw Failure.unknown(option, String(name), among: Choice.allCases.map(\.rawValue), and: ["all"])
        }
        return choice
    }
}
