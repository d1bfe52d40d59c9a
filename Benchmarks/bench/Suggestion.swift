import Workloads

/// The name among `known` that `text` was probably meant to be; nil if none is near.
func suggestion(for text: String, among known: [String]) -> String? {
    let text = text.lowercased()
    guard !text.isEmpty else { return nil }
    // An abbreviation, and only then a slip of the fingers.
    if let whole = known.filter({ $0.hasPrefix(text) }).min(by: { $0.count < $1.count }) { return whole }
    if text.count > 1, let part = known.filter({ $0.split(separator: "-").contains { $0.hasPrefix(text) } }).first {
        return part
    }
    let most = max(1, text.count / 3)
    let ranked = known.map { (name: $0, distance: editDistance(text, $0)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= most else { return nil }
    return best.name
}

/// `; did you mean 'X'?`, or nothing where no known name is near.
func didYouMean(_ text: String, among known: [String]) -> String {
    suggestion(for: text, among: known).map { "; did you mean '\($0)'?" } ?? ""
}

extension Failure {
    /// A name that is none of those known.
    ///
    /// - Parameters:
    ///   - kind: what is named: `mode`.
    ///   - others: names that are taken too and not listed, such as aliases.
    static func unknown(_ kind: String, _ name: String, among known: [String], and others: [String] = []) -> Failure {
        let near = didYouMean(name, among: known + others)
        let plural = kind.hasSuffix("y") ? kind.dropLast() + "ies" : kind + "s"
        let list = known.joined(separator: ", ")
        return Failure(.usage, "unknown \(kind) '\(name)'\(near.isEmpty ? ";" : near) \(plural): \(list)")
    }
}

extension Failure {
    /// A mode that there is not.
    static func unknownMode(_ name: String) -> Failure {
        .unknown("mode", name, among: Mode.all.map(\.name), and: Mode.all.compactMap(\.alias) + ["all"])
    }
}

/// How many letters have to be put in, left out, replaced or exchanged with their neighbours.
func editDistance(_ first: String, _ second: String) -> Int {
    let (a, b) = (Array(first), Array(second))
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 1...a.count {
        var row = [i]
        for j in 1...b.count {
            let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
            var least = min(replaced, last[j] + 1, row[j - 1] + 1)
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { least = min(least, beforeLast[j - 2] + 1) }
            row.append(least)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
