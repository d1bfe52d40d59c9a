import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import Statistics
import SystemPackage

/// One thread's connections to an echoing server: sends numbered messages and checks every byte that comes back.
///
/// All memory is allocated before the first message.
@safe struct EchoClient: LoadClient, ~Copyable {
    private struct Stream {
        let descriptor: CInt
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
    /// An answer calls for the next message, instead of a schedule.
    private let isClosedLoop: Bool
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
    /// Messages queued and not back yet.
    private(set) var outstanding: UInt64 = 0
    static let startsSlowly = false
    var result = ClientResult()

    /// Connects all, idle ones included.
    init(_ plan: LoadPlan, to address: SocketAddress, connections: Int, idle idleCount: Int, seed: UInt64) throws(Errno)
    {
        let epoll = try Epoll()
        var descriptors: [CInt] = []
        for _ in 0..<connections + idleCount {
            let connection = try connected(to: address)
            try setSocketOption(.noDelay, on: connection.descriptor)
            descriptors.append(connection.release().release().rawValue)
        }
        for index in 0..<connections {
            try epoll.add(
                BorrowedDescriptor(rawValue: descriptors[index]), [.readable, .writable, .peerClosed, .edgeTriggered],
                token: UInt64(index))
        }

        self.epoll = epoll
        events = EpollEventBuffer(capacity: min(connections, 256))
        message = MessagePattern(bytes: plan.messageBytes)
        depth = UInt64(plan.depth)
        isClosedLoop = plan.ratePerSecond == nil
        count = connections
        idle = Array(descriptors.dropFirst(connections))
        generator = SplitMix64(seed: seed)
        // In an open loop messages wait here while the server stalls.
        startCount = isClosedLoop ? plan.depth : max(plan.depth, min(4096, (32 << 20) / connections / 8))
        bufferBytes = max(plan.traffic.chunkBytes, 1 << 16)
        unsafe streams = .allocate(capacity: connections)
        unsafe starts = .allocate(capacity: connections * startCount)
        unsafe tails = .allocate(byteCount: connections * plan.messageBytes, alignment: 64)
        unsafe buffer = .allocate(byteCount: bufferBytes + plan.messageBytes, alignment: 64)
        for index in 0..<connections { unsafe (streams + index).initialize(to: Stream(descriptor: descriptors[index])) }
    }

    deinit {
        for index in 0..<count where unsafe !streams[index].isDead { unsafe Glibc.close(streams[index].descriptor) }
        for descriptor in idle { close(descriptor) }
        unsafe streams.deallocate()
        unsafe starts.deallocate()
        unsafe tails.deallocate()
        unsafe buffer.deallocate()
    }

    /// False in a closed loop, where an answer makes the room for the next message and sends it.
    var hasRoom: Bool { !isClosedLoop }

    /// A closed loop fills every stream up to the depth.
    mutating func begin(_ window: RunWindow) {
        result.begin(window)
        guard isClosedLoop else { return }
        for index in 0..<count {
            for _ in 0..<depth { queue(index, startedAt: monotonicNanoseconds()) }
            flush(index)
        }
    }

    /// Sends on a connection picked at random, whatever that connection still waits for.
    mutating func start(at time: UInt64) -> Bool {
        let index = Int(generator.next() % UInt64(count))
        queue(index, startedAt: time)
        flush(index)
        return true
    }

    mutating func awaitAnswers(until deadline: UInt64) throws(Errno) {
        let ready = try epoll.wait(into: events, untilNanoseconds: deadline)
        for index in 0..<ready {
            let event = events[index]
            if event.events != .writable { receive(Int(event.token)) }
            flush(Int(event.token))
        }
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
            let sent = unsafe Glibc.send(stream.descriptor, buffer + skipped, size, CInt(MSG_NOSIGNAL))
            if sent < 0 { return errno == EAGAIN ? () : drop(index, .init("send", errno)) }
            unsafe streams[index].sentBytes = stream.sentBytes + UInt64(sent)
            if sent < size { return }
        }
    }

    private mutating func receive(_ index: Int) {
        while true {
            let stream = unsafe streams[index]
            if stream.isDead { return }
            unsafe buffer.copyMemory(from: tails + index * message.bytes, byteCount: stream.tail)
            let received = unsafe recv(stream.descriptor, buffer + stream.tail, bufferBytes - stream.tail, 0)
            if received < 0 && errno == EAGAIN { return }
            guard received > 0 else { return drop(index, received == 0 ? .earlyEnd : .init("recv", errno)) }
            let now = monotonicNanoseconds()
            let total = stream.tail + received
            let whole = total / message.bytes
            for place in 0..<whole { unsafe took(index, buffer + place * message.bytes, now) }
            let rest = total - whole * message.bytes
            unsafe (tails + index * message.bytes).copyMemory(from: buffer + whole * message.bytes, byteCount: rest)
            unsafe streams[index].tail = rest
            if isClosedLoop && now < result.window.loadEnd {
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
            return result.fail(.wrongBytes, startedAt: now)
        }
        unsafe streams[index].received = due + 1
        outstanding -= 1
        let start = unsafe starts[index * startCount + Int(due % UInt64(startCount))]
        result.end(startedAt: start, at: now, unsafe message.matches(due, memory) ? nil : .wrongBytes)
    }

    /// The server closed: whatever was in flight failed.
    private mutating func drop(_ index: Int, _ cause: FailureTally.Cause) {
        let stream = unsafe streams[index]
        Glibc.close(stream.descriptor)
        unsafe streams[index].isDead = true
        let inFlight = stream.queued - stream.received
        if inFlight == 0 { result.fail(cause, startedAt: monotonicNanoseconds()) }
        for due in stream.received..<stream.queued {
            let start = unsafe starts[index * startCount + Int(due % UInt64(startCount))]
            result.fail(cause, startedAt: start)
        }
        outstanding -= inFlight
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
