extension WorkerCount: Codable, CodingKeyRepresentable {
    /// By its name, which outlasts other places.
    @usableFromInline package var codingKey: any CodingKey { Name(stringValue: "\(self)") }

    /// - Returns: nil for a name that no count has.
    @usableFromInline package init?<Key: CodingKey>(codingKey: Key) {
        guard let count = Self.allCases.first(where: { "\($0)" == codingKey.stringValue }) else { return nil }
        self = count
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }
}
