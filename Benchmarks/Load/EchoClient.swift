import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import Statistics
import Statistics
import SystemPackage

/// One thread's connections to an echoing server: sends numbered messages and checks every byte that comes back.
///
/// All memory is allocated before the first message.
@safe struct EchoClient: ~Copyable {
    private struct Stream {
        var number: CInt
        /// Messages that were due so far, and those that came back.
        var queued: UInt64 = 0
        var received: UInt64 = 0
        var sentBytes: UInt64 = 0
        /// Bytes of an incomplete message, kept in `tails`.
        var tail = 0
        var isDead = false
    }

    private let epoll: Epoll
    private let events: EpollEventBuffer
    private let message: MessagePattern
    private let depth: UInt64
    private let count: Int
    private let idle: [CInt]
    private let streams: UnsafeMutablePointer<Stream>
    /// When each message in flight started, a ring of `startCount` for each stream.
    private let starts: UnsafeMutablePointer<UInt64>
    private let startCount: Int
    private let tails: UnsafeMutableRawPointer
    private let buffer: UnsafeMutableRawPointer
    private let bufferBytes: Int
    private var generator: SplitMix64
    private var window = RunWindow.never
    /// Messages queued and not back yet.
    private(set) var outstanding: UInt64 = 0
    /// What was seen so far.
    private(set) var result = ClientResult()

    /// Connects all, idle ones included.
    init(_ plan: LoadPlan, to address: SocketAddress, connections: Int, idle idleCount: Int, seed: UInt64) throws(Errno)
    {
        let epoll = try Epoll()
        var numbers: [CInt] = []
        for _ in 0..<connections + idleCount {
            let connection = try connected(to: address)
            try setSocketOption(.noDelay, on: connection.descriptor)
            numbers.append(connection.release().release().rawValue)
        }
        for index in 0..<connections {
            try epoll.add(
                BorrowedDescriptor(rawValue: numbers[index]), [.readable, .writable, .peerClosed, .edgeTriggered],
                token: UInt64(index))
        }
        _ = c_set_timer_slack(1)

        self.epoll = epoll
        events = EpollEventBuffer(capacity: min(connections, 256))
        message = MessagePattern(bytes: plan.messageBytes)
        depth = UInt64(plan.depth)
        count = connections
        idle = Array(numbers.dropFirst(connections))
        generator = SplitMix64(seed: seed)
        // In an open loop messages wait here while the server stalls.
        startCount = plan.ratePerSecond != nil ? max(plan.depth, min(4096, (32 << 20) / connections / 8)) : plan.depth
        bufferBytes = max(plan.traffic.chunkBytes, 1 << 16)
        unsafe streams = .allocate(capacity: connections)
        unsafe starts = .allocate(capacity: connections * startCount)
        unsafe tails = .allocate(byteCount: connections * plan.messageBytes, alignment: 64)
        unsafe buffer = .allocate(byteCount: bufferBytes + plan.messageBytes, alignment: 64)
        for index in 0..<connections { unsafe (streams + index).initialize(to: Stream(number: numbers[index])) }
    }

    deinit {
        for index in 0..<count where unsafe !streams[index].isDead { unsafe Glibc.close(streams[index].number) }
        for number in idle { Glibc.close(number) }
        unsafe streams.deallocate()
        unsafe starts.deallocate()
        unsafe tails.deallocate()
        unsafe buffer.deallocate()
    }

    /// Fills every stream up to the depth, or begins with none in an open loop.
    mutating func begin(_ window: RunWindow, fills: Bool) {
        self.window = window
        result.timeline.begin(window)
        guard fills else { return }
        for index in 0..<count {
            for _ in 0..<depth { queue(index, startedAt: monotonicNanoseconds()) }
            flush(index)
        }
    }

    /// A message on a connection picked at random, whatever that connection still waits for.
    mutating func send(startedAt start: UInt64) {
        let index = Int(generator.next() % UInt64(count))
        queue(index, startedAt: start)
        flush(index)
    }

    /// Waits for answers until a time at most; `refills` sends a new message for each that came back before the end.
    mutating func awaitAnswers(until deadline: UInt64, refills: Bool) throws(Errno) {
        let now = monotonicNanoseconds()
        let ready = try epoll.wait(into: events, timeout: .nanoseconds(deadline > now ? deadline - now : 0))
        for index in 0..<ready {
            let event = events[index]
            if event.events != .writable { receive(Int(event.token), refills: refills) }
            flush(Int(event.token))
        }
    }

    /// What was seen, and how much was due; to be called when nothing starts any more.
    func result(_ arrivals: borrowing Arrivals) -> ClientResult {
        var result = result
        var schedule = copy arrivals
        result.due = schedule.countDue()
        return result
    }

    /// Gives up what has no answer.
    mutating func abandonOutstanding(_ arrivals: Arrivals) {
        result.lost += outstanding + arrivals.notStarted
        outstanding = 0
    }

    private mutating func queue(_ index: Int, startedAt start: UInt64) {
        let stream = unsafe streams[index]
        guard !stream.isDead, stream.queued - stream.received < UInt64(startCount) else {
            result.lost += 1
            return
        }
        unsafe starts[index * startCount + Int(stream.queued % UInt64(startCount))] = start
        unsafe streams[index].queued = stream.queued + 1
        outstanding += 1
    }

    /// Sends what is queued and within the depth, as much as the socket takes.
    private mutating func flush(_ index: Int) {
        let bytes = UInt64(message.bytes)
        while true {
            let stream = unsafe streams[index]
            let end = min(stream.queued, stream.received + depth) * bytes
            guard !stream.isDead, stream.sentBytes < end else { return }
            let first = stream.sentBytes / bytes
            let skipped = Int(stream.sentBytes % bytes)
            let messages = min(Int((end + bytes - 1) / bytes - first), bufferBytes / message.bytes)
            for place in 0..<messages {
                unsafe message.write(first + UInt64(place), to: buffer + place * message.bytes)
            }
            let size = messages * message.bytes - skipped
            let sent = unsafe Glibc.send(stream.number, buffer + skipped, size, CInt(MSG_NOSIGNAL))
            if sent < 0 { return errno == EAGAIN ? () : drop(index, .init("send", errno)) }
            unsafe streams[index].sentBytes = stream.sentBytes + UInt64(sent)
            if sent < size { return }
        }
    }

    private mutating func receive(_ index: Int, refills: Bool) {
        while true {
            let stream = unsafe streams[index]
            if stream.isDead { return }
            unsafe buffer.copyMemory(from: tails + index * message.bytes, byteCount: stream.tail)
            let received = unsafe recv(stream.number, buffer + stream.tail, bufferBytes - stream.tail, 0)
            if received < 0 && errno == EAGAIN { return }
            guard received > 0 else { return drop(index, received == 0 ? .earlyEnd : .init("recv", errno)) }
            let now = monotonicNanoseconds()
            let total = stream.tail + received
            let whole = total / message.bytes
            for place in 0..<whole { unsafe took(index, buffer + place * message.bytes, now) }
            let rest = total - whole * message.bytes
            unsafe (tails + index * message.bytes).copyMemory(from: buffer + whole * message.bytes, byteCount: rest)
            unsafe streams[index].tail = rest
            if refills && now < window.loadEnd {
                for _ in 0..<whole { queue(index, startedAt: now) }
                flush(index)
            }
            if total < bufferBytes { return }
        }
    }

    /// Checks a message that came back against the one that is due.
    private mutating func took(_ index: Int, _ memory: UnsafeRawPointer, _ now: UInt64) {
        let due = unsafe streams[index].received
        guard due < (unsafe streams[index].queued) else {
            return result.fail(.wrongBytes, isMeasured: window.measures(now))
        }
        unsafe streams[index].received = due + 1
        outstanding -= 1
        result.lastAnswer = now
        let start = unsafe starts[index * startCount + Int(due % UInt64(startCount))]
        guard unsafe message.matches(due, memory) else {
            return result.fail(.wrongBytes, isMeasured: window.measures(start))
        }
        result.timeline.note(now)
        if window.measures(start) { result.latencies.record(nanoseconds: now - start) }
    }

    /// The server closed: whatever was in flight failed.
    private mutating func drop(_ index: Int, _ cause: FailureTally.Cause) {
        let stream = unsafe streams[index]
        Glibc.close(stream.number)
        unsafe streams[index].isDead = true
        let inFlight = stream.queued - stream.received
        result.failures.note(cause, count: max(inFlight, 1))
        if inFlight == 0 && window.measures(monotonicNanoseconds()) { result.failedInWindow += 1 }
        for due in stream.received..<stream.queued {
            let start = unsafe starts[index * startCount + Int(due % UInt64(startCount))]
            if window.measures(start) { result.failedInWindow += 1 }
        }
        outstanding -= inFlight
    }
}

/// Sends messages when the arrivals say so and takes the answers, until all that started is answered.
func exchangeMessages(
    _ client: inout EchoClient, _ arrivals: inout Arrivals, _ window: RunWindow, isClosedLoop: Bool,
    _ abandonment: Abandonment
) throws(Errno) {
    let longestWait: UInt64 = 100_000_000
    client.begin(window, fills: isClosedLoop)
    while true {
        let now = monotonicNanoseconds()
        if !isClosedLoop {
            while let start = arrivals.next(now: now) { client.send(startedAt: start) }
        }
        if client.outstanding == 0 && arrivals.isOver(now: now) { return }
        if now >= window.deadline || abandonment.isRequested { return client.abandonOutstanding(arrivals) }
        try client.awaitAnswers(until: min(arrivals.nextStart, now + longestWait), refills: isClosedLoop)
    }
}

/// A connection that is made when this returns, or given up after a time: connect(2) itself waits for two minutes for a
/// peer that does not answer.
private func connected(to address: SocketAddress) throws(Errno) -> Connection {
    let connection = try StreamSocket(for: address, .nonblocking).connect(to: address)
    let deadline = monotonicNanoseconds() + 2 * RunWindow.graceNanoseconds
    var entry = pollfd(fd: connection.descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
    while unsafe poll(&entry, 1, 100) <= 0 {
        guard monotonicNanoseconds() < deadline else { throw .timedOut }
    }
    if let error = try takeSocketError(of: connection.descriptor) { throw error }
    return connection
}
