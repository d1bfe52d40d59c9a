import Testing

@testable import Load
@testable import Meters

/// What a format made of a whole text.
struct Framing: Equatable, CustomStringConvertible {
    /// Unfinished when the text ended.
    var verdict = ReplyStep.Verdict.unfinished
    /// Bytes of the reply.
    var end = 0
    var isLast = false
    var cause: FailureTally.Cause?

    var description: String { "\(verdict) after \(end)\(isLast ? ", last" : "") \(cause.map(String.init) ?? "")" }
}

/// Gives a format a text in pieces, up to the end of the reply.
///
/// - Parameter pieces: how long they are, by turns.
func frame<Format: ReplyFormat & ~Copyable>(
    _ format: borrowing Format, _ text: [UInt8], pieces: [Int], request number: UInt64 = 0
) -> Framing {
    var state = format.reply(to: number, stream: 0)
    var framing = Framing()
    var turn = 0
    while framing.end < text.count, framing.verdict == .unfinished {
        let count = min(max(pieces[turn % pieces.count], 1), text.count - framing.end)
        turn += 1
        // A copy of its own, so that reading behind it is an error that a sanitizer sees.
        let piece = Array(text[framing.end..<framing.end + count])
        let step = piece.withUnsafeBytes { format.take($0.baseAddress!, count, &state) }
        precondition(step.taken >= 0 && step.taken <= count, "took what was not there")
        precondition(step.verdict != .unfinished || step.taken == count, "left something of an unfinished reply")
        framing.end += step.taken
        framing.verdict = step.verdict
    }
    if framing.verdict == .answered || framing.verdict == .failed { framing.isLast = format.isLast(state) }
    if framing.verdict == .failed { framing.cause = format.cause(state) }
    return framing
}

/// What a format makes of a text in one piece, which it must make of it in small ones too.
func framing<Format: ReplyFormat & ~Copyable>(
    _ format: borrowing Format, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) -> Framing {
    let bytes = Array(text.utf8)
    let whole = frame(format, bytes, pieces: [bytes.count])
    for pieces in [[1], [2, 5]] {
        #expect(frame(format, bytes, pieces: pieces) == whole, sourceLocation: sourceLocation)
    }
    return whole
}

/// The same for a text whose close ends it.
func frameWithClose<Format: ReplyFormat & ~Copyable>(_ format: borrowing Format, _ text: [UInt8]) -> ReplyStep.Verdict {
    var state = format.reply(to: 0, stream: 0)
    let step = text.withUnsafeBytes { format.take($0.baseAddress!, text.count, &state) }
    return step.verdict == .unfinished ? format.verdict(atClose: state) : step.verdict
}

func httpFormat(_ method: String = "GET") throws -> HTTPFormat {
    HTTPFormat(try .http(method: method, host: "test"), seed: 1)
}

func redisFormat() throws -> RedisFormat { RedisFormat(try .redis(command: "PING"), seed: 1) }
func memcachedFormat() throws -> MemcachedFormat { MemcachedFormat(try .memcached(command: "version"), seed: 1) }

func bytesFormat(_ end: Conversation.ReplyEnd) throws -> BytesFormat {
    BytesFormat(try .bytes(request: [1], end: end), seed: 1)
}
