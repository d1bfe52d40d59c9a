import Meters

/// HTTP/1.1 (RFC 9112): replies of status 2xx are answers, others failures.
struct HTTPFormat: TableFormat, ~Copyable {
    let requests: RequestTable
    static var garbage: FailureTally.Cause { .garbage(not: "HTTP") }

    init(_ conversation: Conversation, seed: UInt64) { requests = RequestTable(conversation.requests, seed: seed) }

    @inline(__always) func reply(to number: UInt64, stream: Int) -> HTTPReply {
        HTTPReply(withoutBody: requests.entry(number, stream: stream).repliesWithoutBody)
    }

    @unsafe @inline(__always) func take(_ bytes: UnsafeRawPointer, _ count: Int, _ state: inout HTTPReply) -> ReplyStep
    {
        unsafe state.take(bytes, count)
    }

    func verdict(atClose state: HTTPReply) -> ReplyStep.Verdict { state.verdictAtClose }
    @inline(__always) func isLast(_ state: HTTPReply) -> Bool { state.isLast }
    func cause(_ state: HTTPReply) -> FailureTally.Cause { .reply("HTTP \(state.status)") }
}
