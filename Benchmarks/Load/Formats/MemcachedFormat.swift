import Meters

/// The text protocol of memcached: `ERROR`, `CLIENT_ERROR` and `SERVER_ERROR` are failures.
struct MemcachedFormat: TableFormat, ~Copyable {
    let requests: RequestTable
    static var garbage: FailureTally.Cause { .garbage(not: "memcached") }

    init(_ conversation: Conversation, seed: UInt64) { requests = RequestTable(conversation.requests, seed: seed) }

    @inline(__always) func reply(to number: UInt64, stream: Int) -> LineReply<MemcachedReply> {
        LineReply(MemcachedReply())
    }

    @unsafe @inline(__always) func take(
        _ bytes: UnsafeRawPointer, _ count: Int, _ state: inout LineReply<MemcachedReply>
    ) -> ReplyStep {
        unsafe state.take(bytes, count)
    }

    func cause(_ state: LineReply<MemcachedReply>) -> FailureTally.Cause { .reply(state.lines.word.text) }
}
