import Meters
import Statistics

/// Ready requests, and a table that says which one is drawn for each message of a stream.
///
/// Of any run of as many messages of a stream as the table has draws, each request has the share that its weight says, to
/// one draw. Streams begin at different draws.
@safe final class RequestTable {
    struct Entry {
        let offset: Int
        let length: Int
        let repliesWithoutBody: Bool
    }

    private let bytes: UnsafeMutableRawPointer
    private let entries: UnsafeMutablePointer<Entry>
    private let draws: UnsafeMutablePointer<UInt32>
    private let mask: UInt64
    /// Bytes of the longest request.
    let longest: Int

    /// - Precondition: there is a request, and none is empty.
    init(_ requests: [Conversation.Request], seed: UInt64) {
        precondition(requests.allSatisfy { !$0.bytes.isEmpty } && !requests.isEmpty, "nothing would be asked")
        longest = requests.map(\.bytes.count).max() ?? 0
        unsafe bytes = .allocate(byteCount: requests.map(\.bytes.count).reduce(0, +), alignment: 64)
        unsafe entries = .allocate(capacity: requests.count)
        var offset = 0
        for (index, request) in requests.enumerated() {
            let length = request.bytes.count
            unsafe UnsafeMutableRawBufferPointer(start: bytes + offset, count: length).copyBytes(from: request.bytes)
            unsafe (entries + index).initialize(
                to: Entry(offset: offset, length: length, repliesWithoutBody: request.repliesWithoutBody))
            offset += length
        }
        var generator = SplitMix64(seed: seed)
        let drawn = Self.shares(requests.map(\.weight)).seededShuffle(using: &generator)
        unsafe draws = .allocate(capacity: drawn.count)
        for (index, draw) in drawn.enumerated() { unsafe (draws + index).initialize(to: draw) }
        mask = UInt64(drawn.count - 1)
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe entries.deallocate()
        unsafe draws.deallocate()
    }

    /// A power of two of indices, each as often as its weight says, and at least once.
    static func shares(_ weights: [Double]) -> [UInt32] {
        guard weights.count > 1 else { return [0] }
        var size = 4096
        while size < 16 * weights.count { size *= 2 }
        let total = weights.reduce(0, +)
        let exact = weights.map { $0 / total * Double(size) }
        var counts = exact.map { max(1, Int($0)) }
        var missing = size - counts.reduce(0, +)
        // The largest remainders get what rounding down left; what rare ones were given comes from the most frequent.
        let order = weights.indices.sorted {
            exact[$0] - exact[$0].rounded(.down) > exact[$1] - exact[$1].rounded(.down)
        }
        for index in order where missing > 0 {
            counts[index] += 1
            missing -= 1
        }
        for index in counts.indices.sorted(by: { counts[$0] > counts[$1] }) where missing < 0 {
            let taken = min(counts[index] - 1, -missing)
            counts[index] -= taken
            missing += taken
        }
        return counts.enumerated().flatMap { [UInt32](repeating: UInt32($0), count: $1) }
    }

    /// The request that message `number` of a stream is.
    @inline(__always) func entry(_ number: UInt64, stream: Int) -> Entry {
        let place = Int((number &+ UInt64(truncatingIfNeeded: stream) &* 613) & mask)
        return unsafe entries[Int(draws[place])]
    }

    /// Where a request begins.
    @unsafe @inline(__always) func memory(_ entry: Entry) -> UnsafeRawPointer {
        unsafe UnsafeRawPointer(bytes + entry.offset)
    }
}
