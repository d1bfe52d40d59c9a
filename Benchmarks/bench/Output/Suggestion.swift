/// The name among `known` that `text` was probably meant to be; nil if none is near.
func suggestion(for text: String, among known: [String]) -> String? {
    let text = text.lowercased()
    guard !text.isEmpty else { return nil }
    // An abbreviation is tried before a typing error.
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
    /// A name of a kind (`mode`) that is none of those known, nor of `others`, which are not listed: aliases.
    static func unknown(_ kind: String, _ name: String, among known: [String], and others: [String] = []) -> Failure {
        let near = didYouMean(name, among: known + others)
        let plural = kind.hasSuffix("y") ? kind.dropLast() + "ies" : kind + "s"
        let list = known.joined(separator: ", ")
        return Failure(.usage, "unknown \(kind) '\(name)'\(near.isEmpty ? ";" : near) \(plural): \(list)")
    }
}

/// About how many letters are wrong, missing, too many or exchanged: the larger part of the shortest difference.
func editDistance(_ first: String, _ second: String) -> Int {
    let difference = second.difference(from: first)
    return max(difference.insertions.count, difference.removals.count)
}
