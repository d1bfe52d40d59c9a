import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Echoes with one io_uring request at a time for each connection, a receive or a send, until the stop signal comes.
/// One `io_uring_enter(2)` hands over the next request of every connection that was ready, and waits.
func echoFromRing(
    _ ring: inout Ring, listeners: [CInt], connections: [CInt], _ streams: RingStreams, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    for number in listeners {
        try ring.prepareAccept(
            on: BorrowedDescriptor(rawValue: number), token: Token(.listener, number).rawValue)
    }
    for number in connections { try unsafe streams.receive(number, on: &ring) }
    while true {
        try waitForCompletions(&ring, meter)
        let before = worker.progress
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let token = Token(rawValue: completion.token)
            switch token.kind {
            case .stop:
                return
            case .listener:
                guard let connection = try takeConnection(completion, worker.meter) else {
                    try ring.prepareAccept(on: BorrowedDescriptor(rawValue: token.number), token: token.rawValue)
                    continue
                }
                guard connection.descriptor.rawValue < worker.connections.capacity else { throw .tooManyOpenFiles }
                let number = connection.release().rawValue
                worker.progress += 1
                worker.connections.began(number)
                streams.reset(number)
                try unsafe streams.receive(number, on: &ring)
                try ring.prepareAccept(on: BorrowedDescriptor(rawValue: token.number), token: token.rawValue)
            case .receive where completion.result > 0:
                worker.progress += 1
                let count = unsafe streams.received(token.number, Int(completion.result), worker.message.bytes)
                guard count > 0 else {
                    try unsafe streams.receive(token.number, on: &ring)
                    continue
                }
                unsafe worker.handle(token.number, streams.start(token.number), count)
                try unsafe streams.send(token.number, on: &ring)
                // A client must not wait for the service of others: a busy worker hands each reply over at once.
                if worker.isBusy { try submitAtOnce(&ring, meter) }
            case .send where completion.result > 0:
                worker.progress += 1
                if unsafe !streams.sent(token.number, Int(completion.result)) {
                    meter.add(.shortSends)
                    try unsafe streams.send(token.number, on: &ring)
                } else if worker.closesAfterReply {
                    try close(&ring, token.number, worker)
                } else {
                    try unsafe streams.receive(token.number, on: &ring)
                }
            case .receive, .send:
                if completion.result < 0 || streams.hasTail(token.number) {
                    let call = token.kind == .send ? "send" : "recv"
                    worker.fail(completion.result < 0 ? .init(call, -completion.result) : .earlyEnd)
                }
                try close(&ring, token.number, worker)
            default:
                break
            }
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
    }
}

private func close(_ ring: inout Ring, _ number: CInt, _ worker: borrowing EchoWorker) throws(Errno) {
    worker.connections.ended(number)
    let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    try ring.prepareClose(owned, .skipSuccess, token: Token(.close, number).rawValue)
}

/// A buffer for each connection of a ring, from which its messages are sent back.
@safe final class RingStreams {
    private let chunkBytes: Int
    private let buffers: UnsafeMutableRawPointer
    private let states: UnsafeMutablePointer<State>
    private let capacity: Int

    private struct State {
        /// Bytes in the buffer.
        var filled = 0
        /// Bytes of whole messages, which are sent back.
        var whole = 0
        /// Bytes that were sent back.
        var sent = 0
    }

    /// Room for descriptors below `capacity`.
    init(capacity: Int, chunkBytes: Int) {
        self.capacity = capacity
        self.chunkBytes = chunkBytes
        unsafe buffers = .allocate(byteCount: capacity * chunkBytes, alignment: 64)
        unsafe states = .allocate(capacity: capacity)
        unsafe states.initialize(repeating: State(), count: capacity)
    }

    deinit {
        unsafe buffers.deallocate()
        unsafe states.deallocate()
    }

    func reset(_ number: CInt) {
        precondition(number >= 0 && number < capacity, "a descriptor beyond the table")
        unsafe states[Int(number)] = State()
    }

    func hasTail(_ number: CInt) -> Bool {
        unsafe states[Int(number)].filled > 0
    }

    /// Where the connection's messages begin.
    @unsafe func start(_ number: CInt) -> UnsafeMutableRawPointer {
        unsafe buffers + Int(number) * chunkBytes
    }

    /// Queues a receive behind what is there already.
    @unsafe func receive(_ number: CInt, on ring: inout Ring) throws(Errno) {
        let filled = unsafe states[Int(number)].filled
        try unsafe ring.prepareReceive(
            .descriptor(BorrowedDescriptor(rawValue: number)), into: start(number) + filled,
            count: chunkBytes - filled, token: Token(.receive, number).rawValue)
    }

    /// Takes note of received bytes and returns how many messages are whole.
    @unsafe func received(_ number: CInt, _ count: Int, _ messageBytes: Int) -> Int {
        let index = Int(number)
        unsafe states[index].filled += count
        let messages = unsafe states[index].filled / messageBytes
        unsafe states[index].whole = messages * messageBytes
        unsafe states[index].sent = 0
        return messages
    }

    /// Queues the send of what has not been sent of the whole messages.
    @unsafe func send(_ number: CInt, on ring: inout Ring) throws(Errno) {
        let state = unsafe states[Int(number)]
        try unsafe ring.prepareSend(
            .descriptor(BorrowedDescriptor(rawValue: number)), from: start(number) + state.sent,
            count: state.whole - state.sent, token: Token(.send, number).rawValue)
    }

    /// Takes note of sent bytes; true if all were, and what is left of the next message is at the front.
    @unsafe func sent(_ number: CInt, _ count: Int) -> Bool {
        let index = Int(number)
        unsafe states[index].sent += count
        let state = unsafe states[index]
        guard state.sent == state.whole else { return false }
        let rest = state.filled - state.whole
        unsafe start(number).copyMemory(from: start(number) + state.whole, byteCount: rest)
        unsafe states[index].filled = rest
        return true
    }
}
