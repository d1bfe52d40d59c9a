import Glibc

/// What follows a byte of a reply that consists of lines, and of data whose length a line tells.
enum LineStep: BitwiseCopyable {
    /// More of the line.
    case line
    /// More of the line, of which only the end matters.
    case skipped
    /// The next line.
    case nextLine
    /// Nothing: the reply is whole.
    case whole
    /// Data of so many bytes, and a line end behind them.
    case data(UInt64)
    /// What comes is no reply of the protocol.
    case refused
}

/// What the lines of a reply mean.
protocol ReplyLines: BitwiseCopyable {
    /// A whole reply refuses what was asked.
    var isError: Bool { get }

    /// Takes a byte of a line that is not skipped.
    mutating func takeLine(_ byte: UInt8) -> LineStep
    /// A line that was skipped is over.
    mutating func endLine() -> LineStep
    /// Looks at a part of the data.
    mutating func takeData(_ bytes: UnsafeRawPointer, _ count: Int)
    /// The data and the line end behind them are over.
    mutating func endData() -> LineStep
}

extension ReplyLines {
    mutating func takeData(_ bytes: UnsafeRawPointer, _ count: Int) {}
}

/// How far a reply of lines and data has come.
struct LineReply<Lines: ReplyLines>: BitwiseCopyable {
    private enum Phase: UInt8 { case line, skipped, data, dataEnd, dataEndLine, whole, refused }

    private(set) var lines: Lines
    private var phase = Phase.line
    private var lineBytes = 0
    /// Bytes missing of the data.
    private var remaining: UInt64 = 0

    /// No line is longer.
    static var mostLineBytes: Int { 1 << 16 }

    init(_ lines: Lines) { self.lines = lines }

    /// Takes bytes up to the end of the reply at the most.
    @unsafe mutating func take(_ bytes: UnsafeRawPointer, _ count: Int) -> ReplyStep {
        var reply = self
        defer { self = reply }
        var offset = 0
        while offset < count {
            switch reply.phase {
            case .data:
                let part = Int(min(reply.remaining, UInt64(count - offset)))
                unsafe reply.lines.takeData(bytes + offset, part)
                offset += part
                reply.remaining -= UInt64(part)
                if reply.remaining == 0 { reply.phase = .dataEnd }
                continue
            case .skipped:
                let end = unsafe memchr(bytes + offset, CInt(newLine), count - offset)
                let passed = unsafe end.map { unsafe UnsafeRawPointer($0) - (bytes + offset) } ?? count - offset
                offset += passed
                reply.lineBytes += passed
                if reply.lineBytes > Self.mostLineBytes { reply.phase = .refused }
            default: break
            }
            if offset < count {
                reply.takeByte(unsafe bytes.load(fromByteOffset: offset, as: UInt8.self))
                offset += 1
            }
            if reply.phase == .whole { return ReplyStep(offset, reply.lines.isError ? .failed : .answered) }
            if reply.phase == .refused { return ReplyStep(offset, .garbage) }
        }
        return ReplyStep(count, .unfinished)
    }

    @inline(__always) private mutating func takeByte(_ byte: UInt8) {
        lineBytes += 1
        guard lineBytes <= Self.mostLineBytes else { return phase = .refused }
        switch phase {
        case .line: goOn(lines.takeLine(byte))
        case .skipped: goOn(lines.endLine())
        case .dataEnd: phase = byte == carriageReturn ? .dataEndLine : .refused
        case .dataEndLine: byte == newLine ? goOn(lines.endData()) : (phase = .refused)
        case .data, .whole, .refused: break
        }
    }

    @inline(__always) private mutating func goOn(_ step: LineStep) {
        switch step {
        case .line: break
        case .skipped: phase = .skipped
        case .nextLine: (phase, lineBytes) = (.line, 0)
        case .whole: phase = .whole
        case .data(let count): (phase, remaining) = (count == 0 ? .dataEnd : .data, count)
        case .refused: phase = .refused
        }
    }
}
