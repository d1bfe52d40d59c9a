extension Conversation {
    /// Requests of different weights: in each line a weight, a space, and what `request` makes one of. Empty lines and
    /// those that begin with # are left out.
    package static func mix(
        lines: [some StringProtocol], _ request: (String) throws(ConversationError) -> Conversation
    ) throws(ConversationError) -> Conversation {
        var mix: Conversation?
        var count = 0
        for (index, line) in lines.enumerated() {
            let text = String(line.drop { $0.isWhitespace })
            if text.isEmpty || text.hasPrefix("#") { continue }
            let parts = text.split(maxSplits: 1, omittingEmptySubsequences: true) { $0.isWhitespace }
            guard let weight = Double(parts[0]), weight > 0, weight <= 1e12 else {
                throw ConversationError("line \(index + 1): '\(parts[0])' is not a weight above 0 and up to 1e12")
            }
            let rest = parts.count > 1 ? String(parts[1]).trimmed : ""
            guard !rest.isEmpty else { throw ConversationError("line \(index + 1): nothing is asked after the weight") }
            var next: Conversation
            do throws(ConversationError) { next = try request(rest) } catch {
                throw ConversationError("line \(index + 1): \(error)")
            }
            for place in next.requests.indices { next.requests[place].weight = weight }
            count += next.requests.count
            guard count <= mostRequests else {
                throw ConversationError("line \(index + 1): \(mostRequests) requests are the most")
            }
            if mix == nil { mix = next } else { mix?.requests += next.requests }
        }
        guard let mix else { throw ConversationError("there is no request; write lines such as '3 /index.html'") }
        return mix
    }

    /// The table of draws grows with the requests.
    private static var mostRequests: Int { 65536 }
}

extension String {
    /// Without the white space at the end, of which a line with `\r\n` has some.
    fileprivate var trimmed: String { String(reversed().drop { $0.isWhitespace }.reversed()) }
}
