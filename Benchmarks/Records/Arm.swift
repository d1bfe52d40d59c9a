/// What is compared: the runs that agree in every identity column, which differ only by chance.
package struct Arm: Hashable, Sendable {
    /// The values of ``columns``, as in the file.
    package let values: [String]

    package static let columns = Column.all.filter(\.isIdentity)

    package init(_ record: RunRecord) { values = Self.columns.map { $0.text(of: record) } }

    package subscript(name: String) -> String {
        Self.columns.firstIndex { $0.name == name }.map { values[$0] } ?? ""
    }
}

/// An arm and its runs, in the order of the file.
package struct ArmRuns {
    package let arm: Arm
    package var records: [RunRecord]

    package init(arm: Arm, records: [RunRecord]) {
        self.arm = arm
        self.records = records
    }

    /// The runs whose numbers may be used.
    package var usable: [RunRecord] { records.filter { $0.status == .ok } }

    package func values(_ value: (RunRecord) -> Double?) -> [Double] { usable.compactMap(value) }

    package static func group(_ records: [RunRecord]) -> [ArmRuns] {
        var places: [Arm: Int] = [:]
        var groups: [ArmRuns] = []
        for record in records {
            let arm = Arm(record)
            if let place = places[arm] {
                groups[place].records.append(record)
            } else {
                places[arm] = groups.count
                groups.append(ArmRuns(arm: arm, records: [record]))
            }
        }
        return groups
    }
}
