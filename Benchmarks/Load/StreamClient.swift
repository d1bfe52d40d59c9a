import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import Statistics
import SystemPackage

/// One thread's connections that carry requests one after the other, several at once in flight up to the plan's depth.
///
/// All memory is allocated before the first request.
@safe struct StreamClient<Format: ReplyFormat & ~Copyable>: LoadClient, ~Copyable {
    struct Stream {
        /// -1 while it has no connection.
        var descriptor: CInt
        /// Its connection is begun, and not known to be made.
        var isConnecting = false
        /// Requests that were due so far, those that are sent whole, and those that were answered.
        var queued: UInt64 = 0
        var sent: UInt64 = 0
        var received: UInt64 = 0
        /// Bytes sent of the next request.
        var sentBytes = 0
        /// Why nothing can be sent any more; the last replies may still be there to be read. 0 if it can.
        var sendError: CInt = 0
        /// Replies of this connection.
        var replies: UInt64 = 0
        /// Operations that a closed loop begins once the stream's turn to be connected has come.
        var owed: UInt64 = 0
        /// It waits for room in the listener's queue, which its operations have to take in.
        var isInLine = false

        var isOpen: Bool { descriptor >= 0 }
        /// Requests that the server has at least a part of.
        var asked: UInt64 { sentBytes > 0 ? sent + 1 : sent }
    }

    let format: Format
    let epoll: Epoll
    private let events: EpollEventBuffer
    let address: SocketAddress
    let transport: Transport
    /// An answer calls for the next request, instead of a schedule.
    let isClosedLoop: Bool
    let thinkNanoseconds: UInt64
    let resets: Bool
    let depth: UInt64
    private let count: Int
    private let idle: [CInt]
    let streams: UnsafeMutablePointer<Stream>
    /// The reply that each stream waits for.
    let replies: UnsafeMutablePointer<Format.State>
    /// When each request in flight started, a ring of `startCount` for each stream.
    private let starts: UnsafeMutablePointer<UInt64>
    private let startCount: Int
    let buffer: UnsafeMutableRawPointer
    let bufferBytes: Int
    private var generator: SplitMix64
    var pace: ConnectPace
    /// Streams whose next operation begins later, and those that are connected again later.
    var thinking: TimedQueue
    var waiting: TimedQueue
    /// Streams that a full queue did not let in.
    var line: WaitingLine
    /// Requests queued and not answered yet.
    private(set) var outstanding: UInt64 = 0
    /// Connections that were begun again, which tells one from the next, and those that are not known to be made.
    var begun: UInt64 = 0
    var connecting = 0
    var openConnections: Int
    static var startsSlowly: Bool { false }
    var result = ClientResult()

    /// Connects all, idle ones included.
    ///
    /// - Parameters:
    ///   - index: which of the plan's client threads it is.
    ///   - start: asked whether it is given up while connections are made.
    init(
        _ format: consuming Format, _ plan: LoadPlan, to address: SocketAddress, connections: Int, idle idleCount: Int,
        seed: UInt64, client index: Int = 0, start: ClientStart = ClientStart()
    ) throws(Errno) {
        let epoll = try Epoll()
        var pace = ConnectPace(plan, client: index)
        pace.begin(at: monotonicNanoseconds())
        let descriptors = try connectAll(connections + idleCount, to: address, &pace, start)
        let transport = Transport(plan, capacity: descriptors.count)
        do throws(Errno) {
            for index in 0..<connections {
                try epoll.add(BorrowedDescriptor(rawValue: descriptors[index]), streamEvents, token: UInt64(index))
            }
            try transport.connect(descriptors, start)
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }

        self.epoll = epoll
        self.address = address
        self.transport = transport
        self.pace = pace
        events = EpollEventBuffer(capacity: max(1, min(connections, 256)))
        depth = UInt64(plan.depth)
        isClosedLoop = plan.ratePerSecond == nil
        thinkNanoseconds = plan.thinkNanoseconds
        resets = plan.close == .reset
        count = connections
        openConnections = connections
        idle = Array(descriptors.dropFirst(connections))
        generator = SplitMix64(seed: seed)
        // In an open loop messages wait here while the server stalls.
        startCount = isClosedLoop ? plan.depth : max(plan.depth, min(4096, (32 << 20) / max(connections, 1) / 8))
        bufferBytes = max(plan.conversation.wire == .echo ? plan.traffic.chunkBytes : 0, 1 << 16)
        // Not `isClosedLoop`: `&&` would capture a self that is not whole, which the compiler (6.3) destroys then.
        let thinks = plan.ratePerSecond == nil && plan.thinkNanoseconds > 0
        thinking = TimedQueue(capacity: thinks ? connections * plan.depth : 0)
        waiting = TimedQueue(capacity: connections)
        line = WaitingLine(capacity: address.family == AF_UNIX ? connections : 0)
        unsafe streams = .allocate(capacity: connections)
        unsafe replies = .allocate(capacity: connections)
        unsafe starts = .allocate(capacity: connections * startCount)
        unsafe buffer = .allocate(byteCount: bufferBytes + format.longestRequest, alignment: 64)
        for index in 0..<connections {
            unsafe (streams + index).initialize(to: Stream(descriptor: descriptors[index]))
            unsafe (replies + index).initialize(to: format.reply(to: 0, stream: index))
        }
        self.format = format
    }

    deinit {
        for index in 0..<count where unsafe streams[index].isOpen { unsafe Glibc.close(streams[index].descriptor) }
        for descriptor in idle { close(descriptor) }
        unsafe streams.deallocate()
        unsafe replies.deallocate()
        unsafe starts.deallocate()
        unsafe buffer.deallocate()
    }

    /// False in a closed loop, where an answer makes the room for the next request and sends it.
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
        let next = min(thinking.nextTime, waiting.nextTime, line.nextTime)
        let ready = try epoll.wait(into: events, untilNanoseconds: min(deadline, next))
        for index in 0..<ready {
            let event = events[index]
            if connecting > 0 && event.events.isMade { noteMade(Int(event.token)) }
            // After the end of the stream no event comes any more: all that is there has to be read now.
            let isLast = !event.events.isDisjoint(with: endEvents)
            // A session may have to send before it can receive, and the reverse.
            if event.events != .writable || transport.tls != nil { receive(Int(event.token), untilEnd: isLast) }
            flush(Int(event.token))
            if transport.tls?.hasPending(Int(event.token)) == true { receive(Int(event.token), untilEnd: isLast) }
        }
        if next != .max { startDue(monotonicNanoseconds()) }
    }

    mutating func queue(_ index: Int, startedAt start: UInt64) {
        let stream = unsafe streams[index]
        guard stream.isOpen || Format.reconnects, stream.queued - stream.received < UInt64(startCount) else {
            result.lost += 1
            return
        }
        unsafe starts[index * startCount + Int(stream.queued % UInt64(startCount))] = start
        unsafe streams[index].queued = stream.queued + 1
        outstanding += 1
    }

    /// Full buffers of one connection until the others have their turn: a server that answers faster than this client reads
    /// would keep it there for ever.
    private static var buffersPerTurn: Int { 16 }

    private mutating func receive(_ index: Int, untilEnd: Bool) {
        for _ in 0..<Self.buffersPerTurn {
            let descriptor = unsafe streams[index].descriptor
            if descriptor < 0 { return }
            let connection = begun
            let received = unsafe transport.receive(index, descriptor, buffer, bufferBytes)
            if received <= 0 {
                let error = CInt(-received)
                if received < 0 && (error == EAGAIN || error == EINTR) { return }
                return ended(index, received == 0 ? nil : error)
            }
            let now = monotonicNanoseconds()
            let answered = take(index, received, now)
            if isClosedLoop && now < result.window.loadEnd {
                for _ in 0..<answered { beginNext(index, now) }
                flush(index)
            }
            // A connection that was made meanwhile has events of its own.
            if begun != connection { return }
            if !untilEnd && transport.isDrained(index, received, of: bufferBytes) { return }
        }
        // An edge is reported once; a registration that is modified tells again what is there, the end included.
        let descriptor = unsafe BorrowedDescriptor(rawValue: streams[index].descriptor)
        try? epoll.modify(descriptor, streamEvents, token: UInt64(index))
    }

    /// Takes the replies in the buffer; how many were whole.
    private mutating func take(_ index: Int, _ count: Int, _ now: UInt64) -> Int {
        var offset = 0
        var answered = 0
        while offset < count {
            guard unsafe streams[index].received < streams[index].asked else {
                drop(index, .surplus)
                return answered
            }
            let step = unsafe format.take(buffer + offset, count - offset, &replies[index])
            offset += step.taken
            switch step.verdict {
            case .unfinished: return answered
            case .garbage:
                drop(index, Format.garbage)
                return answered
            case .answered, .failed:
                answered += 1
                if end(index, step.verdict, now) { return answered }
            }
        }
        return answered
    }

    /// Counts a whole reply; true if it was the last of its connection, which is made again then.
    private mutating func end(_ index: Int, _ verdict: ReplyStep.Verdict, _ now: UInt64) -> Bool {
        let due = unsafe streams[index].received
        let failure = unsafe verdict == .answered ? nil : format.cause(replies[index])
        let isLast = unsafe format.isLast(replies[index])
        unsafe streams[index].received = due + 1
        unsafe streams[index].replies &+= 1
        unsafe replies[index] = format.reply(to: due + 1, stream: index)
        outstanding -= 1
        result.end(startedAt: start(of: due, on: index), at: now, failure, over: transport)
        // A reply to half a request leaves a connection on which nobody knows what comes next.
        let isEarly = unsafe streams[index].received > streams[index].sent
        guard isLast || isEarly else { return false }
        guard Format.reconnects else {
            drop(index, .surplus)
            return true
        }
        disconnect(index)
        reconnect(index, now)
        return true
    }

    @inline(__always) func start(of request: UInt64, on index: Int) -> UInt64 {
        unsafe starts[index * startCount + Int(request % UInt64(startCount))]
    }

    /// Operations up to a request are over, and failed.
    mutating func fail(_ index: Int, upTo end: UInt64, _ cause: FailureTally.Cause) -> UInt64 {
        let first = unsafe streams[index].received
        for request in first..<end { result.fail(cause, startedAt: start(of: request, on: index)) }
        unsafe streams[index].received = end
        outstanding -= end - first
        return end - first
    }

    mutating func failStalledHandshakes() {
        for index in 0..<count where transport.isHandshakeStalled(index) {
            _ = unsafe fail(index, upTo: streams[index].queued, .stalledHandshake)
        }
    }

    /// The server closed in order, which also ends a reply that says no length, or the connection broke.
    private mutating func ended(_ index: Int, _ error: CInt?) {
        let stream = unsafe streams[index]
        let isIdle = stream.received == stream.asked
        let verdict = unsafe isIdle ? .unfinished : format.verdict(atClose: replies[index])
        // Nothing is lost with a connection that was cut off, unless its end would complete a reply.
        if let error, verdict != .unfinished || !transport.isTruncated(index) {
            return drop(index, transport.cause("recv", error, isFirst: stream.replies == 0))
        }
        let now = monotonicNanoseconds()
        if !isIdle {
            guard verdict == .answered || verdict == .failed else {
                return drop(index, stream.sendError == 0 ? .earlyEnd : .init("send", stream.sendError))
            }
            _ = end(index, verdict, now)
            if isClosedLoop && now < result.window.loadEnd {
                beginNext(index, now)
                flush(index)
            }
        } else if Format.reconnects && stream.replies > 0 {
            disconnect(index)
            reconnect(index, now)
        } else {
            drop(index, .earlyEnd)
        }
    }
}
