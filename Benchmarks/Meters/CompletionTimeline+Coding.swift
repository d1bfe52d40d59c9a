/// As what crosses a network: the slots that hold something, their times from the window's start on.
extension CompletionTimeline: Codable {
    private enum CodingKeys: String, CodingKey {
        case start, length, shift, slots, firsts, lasts
    }

    /// Writes the slots in order.
    @usableFromInline package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let filled = (0..<Self.slotCount).filter { firsts[$0] != 0 }
        try container.encode(start, forKey: .start)
        try container.encode(length, forKey: .length)
        try container.encode(shift, forKey: .shift)
        try container.encode(filled, forKey: .slots)
        try container.encode(filled.map { firsts[$0] - start }, forKey: .firsts)
        try container.encode(filled.map { lasts[$0] - start }, forKey: .lasts)
    }

    /// Reads what ``encode(to:)`` has written, of whoever.
    ///
    /// - Throws: `DecodingError` for what no timeline is.
    @usableFromInline package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        start = try container.decode(UInt64.self, forKey: .start)
        length = try container.decode(UInt64.self, forKey: .length)
        shift = try container.decode(UInt64.self, forKey: .shift)
        let slots = try container.decode([Int].self, forKey: .slots)
        let firsts = try container.decode([UInt64].self, forKey: .firsts)
        let lasts = try container.decode([UInt64].self, forKey: .lasts)
        guard slots.count == firsts.count, slots.count == lasts.count, shift < 64,
            slots.allSatisfy({ (0..<Self.slotCount).contains($0) }),
            zip(slots, slots.dropFirst()).allSatisfy({ $0 < $1 }),
            !hasBegun || (start > 0 && start <= .max / 2 && length <= .max / 2), hasBegun || slots.isEmpty,
            zip(slots, zip(firsts, lasts)).allSatisfy({ isSound($0, $1.0, $1.1) })
        else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no times of completions"))
        }
        for (place, slot) in slots.enumerated() {
            (self.firsts[slot], self.lasts[slot]) = (start + firsts[place], start + lasts[place])
        }
    }

    private func isSound(_ slot: Int, _ first: UInt64, _ last: UInt64) -> Bool {
        first <= last && last < length && first >> shift == UInt64(slot) && last >> shift == UInt64(slot)
    }
}
