package import Records

/// A count that does not decide because it is not free of noise, and does not lie clearly apart on both sides either.
package struct Omission: Sendable {
    package enum Reason: String, Sendable, CaseIterable {
        case tooFewRuns = "fewer than 3 runs of the baseline have them"
        case scatter = "they vary among the baseline's own runs"
        /// The base's runs agree on what load may change.
        case fraction = "they are no whole numbers of each operation, so that load may change them"
        case noCount = "they are no counts"
    }

    package var arm: Arm
    package var metric: String
    package var reason: Reason

    /// `nil` if the count is compared, or a side has none.
    init?(arm: MatchedArm, column: Column, options: ComparisonOptions) {
        guard let samples = arm.samples(column, design: options.design),
            !samples.isExact(calibratedDrift: nil, options: options), !samples.liesApart(options.minEffect)
        else { return nil }
        (self.arm, metric) = (arm.base.arm, column.name)
        reason =
            if !column.isCount {
                .noCount
            } else if samples.base.count < 3 {
                .tooFewRuns
            } else {
                samples.isSteady(samples.base) ? .fraction : .scatter
            }
    }

    /// A phrase for each reason: `they vary among the baseline's own runs: syscalls_per_op of poll`.
    package static func phrases(_ omissions: [Omission]) -> [String] {
        let varying = Arm.varyingColumns(of: omissions.map(\.arm))
        return Reason.allCases.compactMap { reason in
            let names = omissions.filter { $0.reason == reason }.map {
                "\($0.metric) of \($0.arm.label(varying: varying))"
            }
            return names.isEmpty ? nil : "\(reason.rawValue): \(names.joined(separator: ", "))"
        }
    }
}
