import Loops
import Meters
import Records

extension StringProtocol {
    /// The words between commas, empty ones too.
    var listed: [String] { String(self).split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
}

extension Sequence where Element: Equatable {
    /// Each element once, where it is first.
    var uniqued: [Element] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}

func duration(_ text: String, _ option: String, zero: Bool = false) throws -> UInt64 {
    guard let value = nanoseconds(text), zero || value > 0 else {
        throw Failure(.usage, "\(option) takes a time such as 1s or 500ms, not '\(text)'")
    }
    return value
}

/// Reads `none`, `fixed:T`, `exp:T` or `bimodal:FAST,SLOW,PROBABILITY`.
func serviceDistribution(_ text: String) -> ServiceTime.Distribution? {
    if text == "none" { return ServiceTime.Distribution.none }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let values = parts[1].listed
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

/// The service time that two options name; none if the first was not given.
func serviceTime(_ text: String?, _ work: String?) throws -> ServiceTime {
    let text = text ?? "none"
    guard let distribution = serviceDistribution(text) else {
        throw Failure(
            .usage, "--service-time takes none, fixed:100us, exp:100us or bimodal:10us,1ms,0.01, not '\(text)'")
    }
    let kind: ServiceTime.Work? = try choice(work, "--service")
    if kind != nil && text == "none" {
        throw Failure(.usage, "--service says how a worker spends --service-time; give that too")
    }
    return ServiceTime(distribution: distribution, work: kind ?? .busy)
}

/// No count of threads or connections can be larger: what is computed from them is to fit a machine word.
let mostCount = 1_000_000_000

/// Reads a list of counts, `1,64,1000`, of an option.
func counts(_ text: String, _ option: String) throws -> [Int] {
    let values = text.listed.compactMap { Int($0) }.filter { (1...mostCount).contains($0) }
    guard values.count == text.listed.count else {
        throw Failure(
            .usage, "\(option) takes whole numbers from 1 up to \(mostCount), separated by commas, not '\(text)'")
    }
    return values
}

/// Reads a list of processors, `0,1`; nil if one is not among those that are available.
func processors(_ text: String, of available: [Int]) -> [Int]? {
    let values = text.listed.compactMap { Int($0) }
    return values.count == text.listed.count && values.allSatisfy(available.contains) ? values : nil
}

/// `value`, which is refused outside of the range by `rule`: `--clients takes 1 or more`.
func inRange(_ value: Int, _ range: ClosedRange<Int>, _ rule: String) throws -> Int {
    guard range.contains(value) else { throw Failure(.usage, "\(rule), not \(value)") }
    return value
}

/// The name of an enumeration's case; what it names is said where there is no such case.
func named<Choice: CaseIterable & RawRepresentable<String>>(
    _ name: String, _ kind: String, and others: [String] = []
) throws -> Choice {
    guard let choice = Choice(rawValue: name) else {
        throw Failure.unknown(kind, name, among: Choice.allCases.map(\.rawValue), and: others)
    }
    return choice
}

/// Reads a comma-separated list of names of an enumeration, or `all`.
func choices<Choice: CaseIterable & RawRepresentable<String>>(
    _ text: String, option: String
) throws -> [Choice] {
    text == "all" ? Array(Choice.allCases) : try text.listed.map { try named($0, option, and: ["all"]) }
}

/// The value of an option that takes one name of a few; nil if it was not given.
func choice<Choice: CaseIterable & RawRepresentable<String>>(_ text: String?, _ option: String) throws -> Choice? {
    guard let text else { return nil }
    let names = Choice.allCases.map(\.rawValue)
    guard let choice = Choice(rawValue: text) else {
        throw Failure(
            .usage,
            "\(option) takes \(names.joined(separator: " or ")), not '\(text)'" + didYouMean(text, among: names))
    }
    return choice
}

/// The modes that a list names, by name or alias.
///
/// `all` are the classic ones, of datagrams those of them that can; `everything` are all that do something for this
/// workload.
func modesNamed(_ text: String, for workload: Workload? = nil) throws -> [Mode] {
    try text.listed.flatMap { (name) -> [Mode] in
        if name == "all" { return workload == .datagram ? Mode.all.filter { $0.serves(.datagram) } : Mode.all }
        if name == "everything" {
            return Mode.every.filter { mode in workload.map { mode.serves($0) } ?? true }
        }
        guard let mode = Mode.named(name) else {
            throw Failure.unknown(
                "mode", name, among: Mode.every.map(\.name),
                and: Mode.every.compactMap(\.alias) + ["all", "everything"])
        }
        return [mode]
    }
}

/// The names in rows that a list names: modes, by name or alias, and servers of these rows.
func armNames(_ text: String, in rows: [RunRecord]) throws -> [String] {
    let servers = Set(rows.filter { $0.implementation == "external" }.map(\.mode))
    return try text.listed.flatMap { servers.contains($0) ? [$0] : try modesNamed($0).map(\.name) }
}

func freshSeed() -> UInt64 { UInt64.random(in: 1...UInt64(Int32.max)) }
