import Glibc
import Meters

/// Given bytes, and replies of a given length, or up to a given text.
@safe struct BytesFormat: TableFormat, ~Copyable {
    /// Bytes that are taken of a reply by length, or matched of the text at this moment.
    typealias State = Int

    let requests: RequestTable
    /// The length; nil for a text.
    private let length: Int?
    private let text: UnsafeMutablePointer<UInt8>
    /// By number of matched bytes: how many are matched still if the next one is another (D. Knuth, J. Morris and V.
    /// Pratt, "Fast Pattern Matching in Strings", 1977).
    private let fallbacks: UnsafeMutablePointer<Int>
    private let textLength: Int
    static var garbage: FailureTally.Cause { .wrongBytes }

    init(_ conversation: Conversation, seed: UInt64) {
        requests = RequestTable(conversation.requests, seed: seed)
        var bytes: [UInt8] = []
        switch conversation.replyEnd {
        case .count(let count): length = max(count, 1)
        case .text(let text): (length, bytes) = (nil, text)
        }
        textLength = bytes.count
        unsafe text = .allocate(capacity: max(bytes.count, 1))
        unsafe fallbacks = .allocate(capacity: bytes.count + 1)
        unsafe text.initialize(repeating: 0, count: max(bytes.count, 1))
        unsafe fallbacks.initialize(repeating: 0, count: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { unsafe text[index] = byte }
        var matched = 0
        for index in bytes.indices.dropFirst() {
            while matched > 0 && bytes[matched] != bytes[index] { unsafe matched = fallbacks[matched] }
            if bytes[matched] == bytes[index] { matched += 1 }
            unsafe fallbacks[index + 1] = matched
        }
    }

    deinit {
        unsafe text.deallocate()
        unsafe fallbacks.deallocate()
    }

    @inline(__always) func reply(to number: UInt64, stream: Int) -> Int { 0 }

    @unsafe @inline(__always) func take(_ bytes: UnsafeRawPointer, _ count: Int, _ state: inout Int) -> ReplyStep {
        guard let length else { return unsafe takeText(bytes, count, &state) }
        let part = min(count, length - state)
        state += part
        return ReplyStep(part, state == length ? .answered : .unfinished)
    }

    @unsafe private func takeText(_ bytes: UnsafeRawPointer, _ count: Int, _ state: inout Int) -> ReplyStep {
        var matched = state
        defer { state = matched }
        var offset = 0
        while offset < count {
            if matched == 0 {
                guard let first = unsafe memchr(bytes + offset, CInt(text[0]), count - offset) else { break }
                offset = unsafe UnsafeRawPointer(first) - bytes
            }
            let byte = unsafe bytes.load(fromByteOffset: offset, as: UInt8.self)
            offset += 1
            while matched > 0, unsafe text[matched] != byte { unsafe matched = fallbacks[matched] }
            if unsafe text[matched] == byte { matched += 1 }
            if matched == textLength { return ReplyStep(offset, .answered) }
        }
        return ReplyStep(count, .unfinished)
    }

    func cause(_ state: Int) -> FailureTally.Cause { .wrongBytes }
}
