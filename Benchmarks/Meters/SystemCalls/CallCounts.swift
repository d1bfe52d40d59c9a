/// System calls counted so far.
package struct CallCounts: Sendable, Equatable, Codable {
    /// All of them.
    package var total: UInt64
    /// By number; the last place holds those whose numbers are beyond it. Empty where the source counts totals only.
    package var byNumber: [UInt64]

    /// Places of ``byNumber``: more than there are system calls.
    package static let places = 512

    /// Counts by number.
    package init(byNumber: [UInt64]) {
        self.byNumber = byNumber
        total = byNumber.reduce(0, &+)
    }

    /// A total alone.
    package init(total: UInt64) {
        self.total = total
        byNumber = []
    }

    /// The calls that were made, by name.
    package var byName: [String: UInt64] {
        var named: [String: UInt64] = [:]
        for (number, count) in byNumber.enumerated() where count > 0 {
            named[number == Self.places - 1 ? SystemCallName.other : SystemCallName.of(number)] = count
        }
        return named
    }

    /// What was counted between two readings.
    package static func - (later: CallCounts, earlier: CallCounts) -> CallCounts {
        guard !later.byNumber.isEmpty else { return CallCounts(total: later.total &- earlier.total) }
        return CallCounts(byNumber: zip(later.byNumber, earlier.byNumber).map { $0 &- $1 })
    }
}
