import Meters

/// RESP2 and RESP3, the protocol of Redis: an error is a failure, named by its first word.
struct RedisFormat: TableFormat, ~Copyable {
    let requests: RequestTable
    static var garbage: FailureTally.Cause { .garbage(not: "RESP") }

    init(_ conversation: Conversation, seed: UInt64) { requests = RequestTable(conversation.requests, seed: seed) }

    @inline(__always) func reply(to number: UInt64, stream: Int) -> LineReply<RedisReply> { LineReply(RedisReply()) }

    @unsafe @inline(__always) func take(_ bytes: UnsafeRawPointer, _ count: Int, _ state: inout LineReply<RedisReply>)
        -> ReplyStep
    {
        unsafe state.take(bytes, count)
    }

    func cause(_ state: LineReply<RedisReply>) -> FailureTally.Cause { .reply(state.lines.errorWord.text) }
}
