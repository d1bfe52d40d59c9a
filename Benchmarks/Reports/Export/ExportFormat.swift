import FoundationEssentials
import Records

package enum ExportFormat: String, Sendable, CaseIterable {
    case hgrm
    case bmf
    case githubActionBenchmark = "github-action-benchmark"
    case benchstat
    case jmh
}

struct ExportedArm {
    /// Path-like: `accept/epoll-et/workers=4`.
    var name: String
    var group: ArmRuns

    /// The arms of the usable runs, each with a name that no other has.
    static func all(_ records: [RunRecord]) -> [ExportedArm] {
        let groups = ArmRuns.group(records).filter { !$0.usable.isEmpty }
        let varying = Arm.varyingColumns(of: groups.map(\.arm)).filter { $0 != "workload" }
        return groups.map { group in
            let options = varying.filter { !group.arm[$0].isEmpty }.map { "\($0)=\(group.arm[$0])" }
            return ExportedArm(
                name: ([group.arm["workload"], group.arm["mode"]] + options).joined(separator: "/"), group: group)
        }
    }

    var metrics: [(column: Column, values: [Double])] {
        Column.metrics.map { column in (column, group.values { column.number(of: $0) }) }.filter { !$0.1.isEmpty }
    }
}

/// `value` as indented JSON whose keys are sorted, so that equal input gives equal text.
func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // The exporters encode finite numbers and strings only, which cannot fail.
    guard let data = try? encoder.encode(value) else { return "" }
    return String(decoding: data, as: UTF8.self) + "\n"
}
