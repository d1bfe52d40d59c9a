import Records
import Statistics

/// Where the median capacity of arms lies: exact order statistics of their rounds, of which it takes six.
///
/// Nil if no arm has as many.
func capacityNote(_ groups: [ArmRuns], varying: [String]) -> String? {
    let intervals = groups.compactMap { group in
        medianInterval(group.values(\.capacityOpsPerS)).map { (group.arm.label(varying: varying), $0) }
    }
    guard let confidence = intervals.map(\.1.confidence).min() else { return nil }
    let texts = intervals.map { label, interval in
        "\(label) \(HumanUnits.count(interval.lower)) to \(HumanUnits.count(interval.upper))"
    }
    let percent = Decimal.fixed(100 * confidence, digits: 1)
    return "The median capacity lies, with \(percent) % confidence each: \(texts.joined(separator: "; "))."
}
