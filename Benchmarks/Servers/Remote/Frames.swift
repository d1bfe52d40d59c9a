import Meters

/// Something that is not as the protocol between two hosts has it: the connection ends with it.
package struct ProtocolError: Error, CustomStringConvertible {
    /// One line, without the other side's name.
    package let description: String
    /// What the agent said in an answer, which ends nothing.
    private(set) var refusal: RunError?

    /// Whether another coordinator is being served, which passes.
    private(set) var isBusy = false

    /// Takes the line.
    package init(_ description: String) { self.description = description }

    init(busy description: String) {
        self.description = description
        isBusy = true
    }

    init(_ refusal: RunError) {
        description = refusal.description
        self.refusal = refusal
    }
}

/// Puts a length before messages, and finds their ends again in what arrives.
struct Frames {
    /// Bytes of a message at the most.
    static let longest = 1 << 20
    /// The same before the other side has proved itself.
    static let longestOfStrangers = 4096

    private var bytes: [UInt8] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// A message with its length before it, four bytes in network order.
    static func framed(_ message: [UInt8]) -> [UInt8] {
        let length = UInt32(message.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + message
    }

    /// Takes what has arrived.
    mutating func append(_ more: some Sequence<UInt8>) { bytes += more }

    /// What has arrived and is no whole message yet.
    var rest: [UInt8] { bytes }

    /// The next whole message; nil if it has not arrived.
    ///
    /// - Throws: if it is longer than any may be.
    mutating func next() throws(ProtocolError) -> [UInt8]? {
        guard bytes.count >= 4 else { return nil }
        let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length <= limit else { throw ProtocolError("a message of \(length) bytes, and \(limit) are the most") }
        guard bytes.count >= 4 + length else { return nil }
        let message = Array(bytes[4..<4 + length])
        bytes.removeFirst(4 + length)
        return message
    }
}

/// Seals messages of one direction: each has a tag over its place in the order and its bytes, so that nobody without the
/// key can add, change, repeat or reorder one. It hides nothing.
struct Seal: Sendable {
    private let authentication: MessageAuthentication
    private let key: [UInt8]
    private var count: UInt64 = 0

    init(_ authentication: MessageAuthentication, key: [UInt8]) {
        self.authentication = authentication
        self.key = key
    }

    /// A message and its tag.
    mutating func sealed(_ message: [UInt8]) throws(ProtocolError) -> [UInt8] { message + (try tag(message)) }

    /// The message of a sealed one.
    ///
    /// - Throws: if its tag is another.
    mutating func opened(_ sealed: [UInt8]) throws(ProtocolError) -> [UInt8] {
        guard sealed.count >= MessageAuthentication.tagBytes else { throw ProtocolError("a message without its tag") }
        let message = Array(sealed.dropLast(MessageAuthentication.tagBytes))
        guard MessageAuthentication.areEqual(try tag(message), Array(sealed.suffix(MessageAuthentication.tagBytes)))
        else { throw ProtocolError("a message that was not sealed with the secret") }
        return message
    }

    private mutating func tag(_ message: [UInt8]) throws(ProtocolError) -> [UInt8] {
        let place = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: count >> UInt64($0)) }
        guard let tag = authentication.tag(of: place + message, key: key) else {
            throw ProtocolError("OpenSSL made no tag of a message")
        }
        count += 1
        return tag
    }
}
