/// A moment that ISO 8601 text names, whatever its offset from UTC and however many digits its seconds have.
///
/// Texts of the same moment are equal and texts of different ones are ordered in time, which the texts themselves are
/// not: `13:00:00+02:00` is before `12:00:00Z`, and `12:00:00Z` before `12:00:00.5Z`.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Whole seconds since the beginning of 1970 in UTC.
    package let seconds: Int64
    /// What is left, in nanoseconds; further digits are dropped.
    package let nanoseconds: Int64

    /// Seconds since the beginning of 1970 in UTC, to a double's precision.
    package var secondsSince1970: Double { Double(seconds) + Double(nanoseconds) / 1e9 }

    /// Reads `2026-01-31T12:00:00Z`, with `+02:00`, `+0200` or `+02` in place of `Z` and with a fraction of the seconds
    /// where there is one.
    ///
    /// `nil` for text that is no such time: without an offset it could be any of 27 hours.
    package init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let year = Self.number(4, &rest), Self.take("-", &rest), let month = Self.number(2, &rest),
            Self.take("-", &rest), let day = Self.number(2, &rest), Self.take("T", &rest),
            let hour = Self.number(2, &rest), Self.take(":", &rest), let minute = Self.number(2, &rest),
            Self.take(":", &rest), let second = Self.number(2, &rest), let fraction = Self.fraction(&rest),
            let offset = Self.offset(&rest), rest.isEmpty
        else { return nil }
        // A leap second is the 60th.
        guard year >= 1, (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day), hour < 24,
            minute < 60, second <= 60
        else { return nil }
        let days = Self.daysSince1970(year: year, month: month, day: day)
        seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
        nanoseconds = fraction
    }

    package static let start = Timestamp(seconds: 0, nanoseconds: 0)

    private init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (one: Timestamp, other: Timestamp) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }

    private static func take(_ character: Unicode.Scalar, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let first = rest.first, first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private static func number(_ digits: Int, _ rest: inout ArraySlice<UInt8>) -> Int64? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ (48...57).contains($0) }) else { return nil }
        rest.removeFirst(digits)
        return text.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    /// Nanoseconds; 0 where there is no fraction, `nil` where a point has no digit behind it.
    private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard take(".", &rest) else { return 0 }
        let digits = rest.prefix { (48...57).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest.removeFirst(digits.count)
        let nine = Array(digits.prefix(9)) + Array(repeating: 48, count: max(0, 9 - digits.count))
        return nine.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    /// Minutes east of UTC.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if take("Z", &rest) { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard take("+", &rest) || take("-", &rest), let hours = number(2, &rest) else { return nil }
        var minutes: Int64 = 0
        if !rest.isEmpty {
            _ = take(":", &rest)
            guard let read = number(2, &rest) else { return nil }
            minutes = read
        }
        guard hours < 24, minutes < 60 else { return nil }
        return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
    }

    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let before = year - 1
        let daysBefore = before * 365 + before / 4 - before / 100 + before / 400
        let inYear = (1..<month).reduce(0) { $0 + days(in: $1, of: year) } + day - 1
        // 0001-01-01 is this many days before 1970-01-01.
        return daysBefore + inYear - 719_162
    }
}

extension RunRecord {
    /// When the run started, to be compared and sorted by; `nil` for a text that is no time, which no file holds that
    /// was read.
    package var startTime: Timestamp? { Timestamp(startedAt) }
}
