import Meters

/// Numbered messages that come back as they were sent; every byte is checked.
struct EchoFormat: ReplyFormat, ~Copyable {
    /// A message that is due, or begun.
    struct State: BitwiseCopyable {
        let number: UInt64
        var taken = 0
        var isWrong = false
    }

    private let message: MessagePattern
    static var reconnects: Bool { false }
    static var garbage: FailureTally.Cause { .wrongBytes }

    init(_ plan: LoadPlan) { message = MessagePattern(bytes: plan.messageBytes) }

    var longestRequest: Int { message.bytes }
    @inline(__always) func length(ofRequest number: UInt64, stream: Int) -> Int { message.bytes }

    @unsafe @inline(__always) func request(
        _ number: UInt64, stream: Int, scratch: UnsafeMutableRawPointer
    ) -> UnsafeRawPointer {
        unsafe message.write(number, to: scratch)
        return UnsafeRawPointer(scratch)
    }

    @inline(__always) func reply(to number: UInt64, stream: Int) -> State { State(number: number) }

    @unsafe @inline(__always) func take(_ bytes: UnsafeRawPointer, _ count: Int, _ state: inout State) -> ReplyStep {
        if state.taken == 0 && count >= message.bytes {
            return ReplyStep(message.bytes, unsafe message.matches(state.number, bytes) ? .answered : .failed)
        }
        return unsafe takePart(bytes, count, &state)
    }

    @unsafe private func takePart(_ bytes: UnsafeRawPointer, _ count: Int, _ state: inout State) -> ReplyStep {
        let part = min(count, message.bytes - state.taken)
        if unsafe !message.matches(state.number, bytes, from: state.taken, count: part) { state.isWrong = true }
        state.taken += part
        guard state.taken == message.bytes else { return ReplyStep(part, .unfinished) }
        return ReplyStep(part, state.isWrong ? .failed : .answered)
    }

    func cause(_ state: State) -> FailureTally.Cause { .wrongBytes }
}
