import Meters

/// What is asked in a protocol, and where its replies end.
///
/// A client is generic over its format and made in this module, so that nothing of this is a dynamic call.
protocol ReplyFormat: ~Copyable {
    /// How far a reply has come.
    associatedtype State: BitwiseCopyable

    /// Whether a connection that ended is made again.
    static var reconnects: Bool { get }
    /// The failure of bytes that are no reply at all.
    static var garbage: FailureTally.Cause { get }

    /// Bytes of the longest request.
    var longestRequest: Int { get }

    /// Bytes of request `number` of a stream; never 0.
    func length(ofRequest number: UInt64, stream: Int) -> Int

    /// Request `number` of a stream, whole.
    ///
    /// - Parameter scratch: has room for the longest request, for a format that makes them as they are needed.
    func request(_ number: UInt64, stream: Int, scratch: UnsafeMutableRawPointer) -> UnsafeRawPointer

    /// The state before the first byte of the reply to a request.
    func reply(to number: UInt64, stream: Int) -> State

    /// Takes bytes that follow those taken before, up to the end of the reply at the most.
    func take(_ bytes: UnsafeRawPointer, _ count: Int, _ state: inout State) -> ReplyStep

    /// What a reply is that the server's close ends: ``ReplyStep/Verdict/unfinished`` for one that lacks something.
    func verdict(atClose state: State) -> ReplyStep.Verdict

    /// Whether a whole reply is the last of its connection.
    func isLast(_ state: State) -> Bool

    /// Why a whole reply is a failure.
    func cause(_ state: State) -> FailureTally.Cause
}

extension ReplyFormat where Self: ~Copyable {
    static var reconnects: Bool { true }
    func verdict(atClose state: State) -> ReplyStep.Verdict { .unfinished }
    func isLast(_ state: State) -> Bool { false }
}

/// A format whose requests are ready beforehand.
protocol TableFormat: ReplyFormat, ~Copyable {
    /// What is asked.
    var requests: RequestTable { get }
}

extension TableFormat where Self: ~Copyable {
    var longestRequest: Int { requests.longest }

    @inline(__always) func length(ofRequest number: UInt64, stream: Int) -> Int {
        requests.entry(number, stream: stream).length
    }

    @unsafe @inline(__always) func request(
        _ number: UInt64, stream: Int, scratch: UnsafeMutableRawPointer
    ) -> UnsafeRawPointer {
        unsafe requests.memory(requests.entry(number, stream: stream))
    }
}

/// What a format made of some bytes.
struct ReplyStep: BitwiseCopyable, Equatable {
    /// How many of them belong to the reply.
    let taken: Int
    /// What the reply is so far.
    let verdict: Verdict

    enum Verdict: BitwiseCopyable {
        /// More has to come.
        case unfinished
        /// Whole, and what was asked for.
        case answered
        /// Whole, and a refusal or wrong.
        case failed
        /// Not a reply: where it would end is unknown.
        case garbage
    }

    init(_ taken: Int, _ verdict: Verdict) {
        (self.taken, self.verdict) = (taken, verdict)
    }
}
