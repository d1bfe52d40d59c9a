import Glibc

/// How far an HTTP/1.1 reply has come, its interim ones (1xx) included.
///
/// Keeps no byte of it: a header line is looked at as it passes, and a body is skipped.
struct HTTPReply: BitwiseCopyable {
    /// What the next byte is.
    enum Phase: UInt8 {
        // The status line.
        case start, version, minor, beforeStatus, firstDigit, status, reason
        // Header and trailer lines.
        case line, name, length, afterLength, lengthEnd, list, skipped, headersEnd
        // The line before a chunk, and the end of the one behind it.
        case chunkSize, chunkExtension, chunkSizeEnd, chunkEnd, chunkEndLine
        // No lines: an interim reply is over, the data of a body, the end.
        case interim, body, chunk, untilClose, finished, refused
    }

    var phase = Phase.start
    /// Bytes of the word, or digits of the number, so far.
    var position: UInt8 = 0
    /// The words that those bytes can be the beginning of, by bit.
    var candidates: UInt8 = 0
    var field = Field.other
    var flags = Flags(rawValue: 0)
    var status: UInt16 = 0
    /// Bytes of this header, or of the lines around this chunk.
    private var lineBytes = 0
    /// The number being read.
    var number: UInt64 = 0
    var contentLength: UInt64 = 0
    /// Bytes missing of the body or the chunk.
    private var remaining: UInt64 = 0

    /// Headers, and the lines around a chunk, are not longer.
    static let mostLineBytes = 1 << 16

    /// The headers that matter.
    enum Field: UInt8 { case other, contentLength, transferEncoding, connection }

    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt16
        static let hasLength = Flags(rawValue: 1)
        static let hasEncoding = Flags(rawValue: 2)
        static let isChunked = Flags(rawValue: 4)
        static let saysClose = Flags(rawValue: 8)
        static let saysKeepAlive = Flags(rawValue: 16)
        /// HTTP/1.0, where a connection ends with its reply unless both sides say otherwise.
        static let isOld = Flags(rawValue: 32)
        static let withoutBody = Flags(rawValue: 64)
        static let inTrailer = Flags(rawValue: 128)
        static let endsWithClose = Flags(rawValue: 256)
        static let ends = Flags(rawValue: saysClose.rawValue | endsWithClose.rawValue)
        static let conflict = Flags(rawValue: hasLength.rawValue | hasEncoding.rawValue)
    }

    /// - Parameter withoutBody: the reply has none, whatever its header says (HEAD).
    init(withoutBody: Bool) {
        if withoutBody { flags.insert(.withoutBody) }
    }

    /// Whether the connection ends with this reply.
    var isLast: Bool {
        !flags.isDisjoint(with: .ends) || flags.contains(.isOld) && !flags.contains(.saysKeepAlive)
    }

    private var verdict: ReplyStep.Verdict { status / 100 == 2 ? .answered : .failed }
    var verdictAtClose: ReplyStep.Verdict { phase == .untilClose ? verdict : .unfinished }

    /// Takes bytes up to the end of the reply at the most.
    @unsafe mutating func take(_ bytes: UnsafeRawPointer, _ count: Int) -> ReplyStep {
        var offset = 0
        while offset < count {
            switch phase {
            case .interim:
                self = HTTPReply(withoutBody: flags.contains(.withoutBody))
            case .body, .chunk:
                let part = min(remaining, UInt64(count - offset))
                offset += Int(part)
                remaining -= part
                if remaining > 0 { return ReplyStep(count, .unfinished) }
                (phase, lineBytes) = (phase == .body ? .finished : .chunkEnd, 0)
            case .untilClose: return ReplyStep(count, .unfinished)
            default: offset = unsafe takeLines(bytes, from: offset, to: count)
            }
            if phase == .finished { return ReplyStep(offset, verdict) }
            if phase == .refused { return ReplyStep(offset, .garbage) }
        }
        return ReplyStep(count, .unfinished)
    }

    /// Takes lines, and stops where none follows.
    private mutating func takeLines(_ bytes: UnsafeRawPointer, from start: Int, to count: Int) -> Int {
        var reply = self
        var offset = start
        while offset < count && reply.phase.rawValue < Phase.interim.rawValue {
            if reply.skipsLine {
                guard let end = unsafe memchr(bytes + offset, CInt(newLine), count - offset) else {
                    offset = count
                    break
                }
                offset = unsafe UnsafeRawPointer(end) - bytes
            }
            reply.takeByte(unsafe bytes.load(fromByteOffset: offset, as: UInt8.self))
            offset += 1
        }
        reply.lineBytes += offset - start
        if reply.lineBytes > Self.mostLineBytes { reply.phase = .refused }
        self = reply
        return offset
    }

    /// Nothing but the line's end matters.
    private var skipsLine: Bool { phase == .skipped || phase == .reason || phase == .chunkExtension }

    @inline(__always) private mutating func takeByte(_ byte: UInt8) {
        switch phase {
        case .start, .version, .minor, .beforeStatus, .firstDigit, .status, .reason: takeStatusLine(byte)
        case .line, .name, .length, .afterLength, .lengthEnd, .list, .skipped, .headersEnd: takeHeader(byte)
        default: takeChunkLine(byte)
        }
    }

    /// The header is over.
    mutating func endHeaders() {
        if flags.contains(.inTrailer) { return phase = .finished }
        if flags.isSuperset(of: .conflict) { return phase = .refused }
        if status == 101 {
            flags.insert(.endsWithClose)
            return phase = .finished
        }
        if status < 200 { return phase = .interim }
        if flags.contains(.withoutBody) || status == 204 || status == 304 { return phase = .finished }
        if flags.contains(.isChunked) {
            (number, position) = (0, 0)
            return phase = .chunkSize
        }
        if flags.contains(.hasLength) {
            remaining = contentLength
            return phase = contentLength == 0 ? .finished : .body
        }
        flags.insert(.endsWithClose)
        phase = .untilClose
    }

    /// The line before a chunk is over.
    mutating func endChunkSize() {
        if number == 0 {
            flags.insert(.inTrailer)
            field = .other
            return phase = .line
        }
        remaining = number
        phase = .chunk
    }
}

let newLine: UInt8 = 10
let carriageReturn: UInt8 = 13
