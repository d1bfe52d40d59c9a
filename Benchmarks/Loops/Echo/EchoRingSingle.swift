import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Echoes with one io_uring request at a time for each connection, a receive or a send, until the stop signal comes.
/// One `io_uring_enter(2)` hands over the next request of every connection that was ready, and waits.
func echoFromRing(
    _ ring: inout Ring, _ waiting: RingWaiting, listeners: [CInt], connections: [CInt], _ streams: RingStreams,
    _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    for fd in listeners {
        try ring.prepareAccept(on: BorrowedDescriptor(rawValue: fd), token: Token(.listener, fd).rawValue)
    }
    for fd in connections { try unsafe streams.receive(fd, on: &ring) }
    while true {
        try waitForCompletions(&ring, waiting, meter)
        let before = worker.progress
        var (receives, bytes) = (0, 0)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let token = Token(rawValue: completion.token)
            switch token.kind {
            case .stop: return
            case .listener: try accepted(completion, token, &ring, streams, &worker)
            case .receive where completion.result > 0:
                worker.progress += 1
                receives &+= 1
                bytes &+= Int(completion.result)
                try received(token.fd, Int(completion.result), &ring, streams, &worker)
            case .send where completion.result > 0:
                try sent(token.fd, Int(completion.result), &ring, streams, &worker)
            case .receive, .send:
                if completion.result < 0 || streams.hasTail(token.fd) {
                    let call = token.kind == .send ? "send" : "recv"
                    worker.fail(completion.result < 0 ? .init(call, -completion.result) : .earlyEnd)
                }
                try close(&ring, token.fd, worker)
            default: break
            }
        }
        if receives > 0 { meter.received(receives, bytes: bytes) }
        if worker.progress == before { meter.add(.spuriousWakeups) }
    }
}

/// Receives from a new connection, and accepts the next one.
private func accepted(
    _ completion: consuming Completion, _ token: Token, _ ring: inout Ring, _ streams: RingStreams,
    _ worker: inout EchoWorker
) throws(Errno) {
    if let connection = try takeConnection(completion, worker.meter) {
        if try worker.admits(connection.descriptor.rawValue) {
            let fd = connection.release().rawValue
            worker.progress += 1
            worker.connections.began(fd)
            streams.reset(fd)
            try unsafe streams.receive(fd, on: &ring)
        } else {
            worker.meter.add(.systemCalls)
            try connection.close()
        }
    }
    try ring.prepareAccept(on: BorrowedDescriptor(rawValue: token.fd), token: token.rawValue)
}

@inline(__always)
private func received(
    _ fd: CInt, _ bytes: Int, _ ring: inout Ring, _ streams: RingStreams, _ worker: inout EchoWorker
) throws(Errno) {
    let requests = unsafe streams.received(fd, bytes)
    guard requests.count > 0 else {
        guard requests.isRefused else { return try unsafe streams.receive(fd, on: &ring) }
        worker.fail(.wrongRequest)
        return try close(&ring, fd, worker)
    }
    unsafe worker.serve(fd, streams.start(fd), requests.count)
    try unsafe streams.send(fd, on: &ring)
    // A client must not wait for the service of others: a busy worker hands each reply over at once.
    if worker.isBusy { try submitAtOnce(&ring, worker.meter) }
}

@inline(__always)
private func sent(
    _ fd: CInt, _ bytes: Int, _ ring: inout Ring, _ streams: RingStreams, _ worker: inout EchoWorker
) throws(Errno) {
    worker.progress += 1
    guard let requests = unsafe streams.sent(fd, bytes) else {
        worker.meter.add(.shortSends)
        return try unsafe streams.send(fd, on: &ring)
    }
    worker.replied(requests.count)
    if worker.format.isLast(requests) { return try close(&ring, fd, worker) }
    // What is left of an echo is not whole; of others it can be requests that get another reply.
    if !worker.format.isEcho && streams.hasTail(fd) { return try received(fd, 0, &ring, streams, &worker) }
    try unsafe streams.receive(fd, on: &ring)
}

private func close(_ ring: inout Ring, _ fd: CInt, _ worker: borrowing EchoWorker) throws(Errno) {
    worker.connections.ended(fd)
    let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: fd))
    try ring.prepareClose(owned, .skipSuccess, token: Token(.close, fd).rawValue)
}

/// A buffer for each connection of a ring, from which an echo is sent back.
@safe final class RingStreams {
    private let format: RequestFormat
    private let chunkBytes: Int
    private let buffers: UnsafeMutableRawPointer
    private let states: UnsafeMutablePointer<State>
    private let capacity: Int

    private struct State {
        /// Bytes in the buffer.
        var filled = 0
        /// Whole requests, which are being answered.
        var requests = Requests()
        /// Bytes of their replies that were sent.
        var sent = 0
    }

    /// Room for descriptors below `capacity`.
    init(_ format: RequestFormat, capacity: Int, chunkBytes: Int) {
        self.format = format
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

    func reset(_ fd: CInt) {
        precondition(fd >= 0 && fd < capacity, "a descriptor beyond the table")
        unsafe states[Int(fd)] = State()
    }

    func hasTail(_ fd: CInt) -> Bool {
        unsafe states[Int(fd)].filled > 0
    }

    /// Where the connection's requests begin.
    @unsafe func start(_ fd: CInt) -> UnsafeMutableRawPointer {
        unsafe buffers + Int(fd) * chunkBytes
    }

    /// Queues a receive behind what is there already.
    @unsafe func receive(_ fd: CInt, on ring: inout Ring) throws(Errno) {
        let filled = unsafe states[Int(fd)].filled
        try unsafe ring.prepareReceive(
            .descriptor(BorrowedDescriptor(rawValue: fd)), into: start(fd) + filled,
            count: chunkBytes - filled, token: Token(.receive, fd).rawValue)
    }

    /// Takes note of received bytes and returns the first requests that are whole.
    @unsafe func received(_ fd: CInt, _ count: Int) -> Requests {
        let index = Int(fd)
        unsafe states[index].filled += count
        let requests = unsafe format.requests(start(fd), states[index].filled)
        unsafe states[index].requests = requests
        unsafe states[index].sent = 0
        return requests
    }

    /// Queues the send of what has not been sent of the replies.
    @unsafe func send(_ fd: CInt, on ring: inout Ring) throws(Errno) {
        let state = unsafe states[Int(fd)]
        let reply = unsafe format.reply(to: state.requests, at: start(fd))
        guard let replyStart = reply.baseAddress else { return }
        try unsafe ring.prepareSend(
            .descriptor(BorrowedDescriptor(rawValue: fd)), from: replyStart + state.sent,
            count: reply.count - state.sent, token: Token(.send, fd).rawValue)
    }

    /// Takes note of sent bytes; nil if some are still to be sent. Otherwise what there is of the next request is moved to
    /// the front.
    ///
    /// - Returns: the requests that are answered.
    @unsafe func sent(_ fd: CInt, _ count: Int) -> Requests? {
        let index = Int(fd)
        unsafe states[index].sent += count
        let state = unsafe states[index]
        guard unsafe state.sent == format.reply(to: state.requests, at: start(fd)).count else { return nil }
        let whole = state.requests.bytes
        let tail = state.filled - whole
        unsafe start(fd).copyMemory(from: start(fd) + whole, byteCount: tail)
        unsafe states[index].filled = tail
        return state.requests
    }
}
