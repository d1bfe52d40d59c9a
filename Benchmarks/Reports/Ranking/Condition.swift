import Records
import Statistics

/// What arms have in common that rank among each other: the value of every option that was varied, and the machine where
/// there are several.
struct Condition: Hashable {
    let columns: [String]
    let values: [String]

    /// `8 connections`, `64 connections`; options that an arm lacks are left out.
    var phrases: [String] { zip(columns, values).filter { !$0.1.isEmpty }.map { Arm.phrase($0, $1) } }

    /// Every option: `set-per-worker, listener none`.
    var title: String { zip(columns, values).map { Arm.phrase($0, $1) }.joined(separator: ", ") }

    /// By the first option that differs, numbers by size.
    static func precede(_ left: Condition, _ right: Condition) -> Bool {
        let pair = zip(left.values, right.values).first { $0 != $1 } ?? ("", "")
        return precedes(pair.0, pair.1)
    }
}

extension [ArmRuns] {
    /// The arms by what they had to do, in the order of first appearance.
    var byCondition: [(condition: Condition, members: [ArmRuns])] {
        let varying = Arm.varyingColumns(of: map(\.arm))
        let hasMachines = Set(flatMap { $0.records.map(\.machineId) }).count > 1
        let columns = varying + (hasMachines ? ["machine_id"] : [])
        let keys = map { group in
            Condition(
                columns: columns,
                values: varying.map { group.arm[$0] } + (hasMachines ? [group.records.first?.machineId ?? ""] : []))
        }
        let members = Dictionary(grouping: zip(keys, self), by: \.0).mapValues { $0.map(\.1) }
        return keys.distinct.map { ($0, members[$0] ?? []) }
    }
}
