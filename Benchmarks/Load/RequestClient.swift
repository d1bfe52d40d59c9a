import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// One thread's transactions: connect, one request, the whole reply, close.
///
/// All memory is allocated before the first connection.
@safe struct RequestClient: ~Copyable {
    private struct Transaction {
        var number: CInt = -1
        var start: UInt64 = 0
        var sent = 0
        var received = 0
    }

    private let address: SocketAddress
    private let epoll: Epoll
    private let events: EpollEventBuffer
    private let message: MessagePattern
    private let resets: Bool
    private let capacity: Int
    private let transactions: UnsafeMutablePointer<Transaction>
    private let free: UnsafeMutablePointer<Int32>
    private var freeCount: Int
    /// The request, and the bytes of a reply for each slot.
    private let request: UnsafeMutableRawPointer
    private let replies: UnsafeMutableRawPointer
    private var window = RunWindow.never
    /// What was seen so far.
    private(set) var result = ClientResult()

    init(_ plan: LoadPlan, to address: SocketAddress, capacity: Int) throws(Errno) {
        epoll = try Epoll()
        events = EpollEventBuffer(capacity: min(capacity, 256))
        message = MessagePattern(bytes: plan.messageBytes)
        resets = plan.close == .reset
        self.address = address
        self.capacity = capacity
        unsafe transactions = .allocate(capacity: capacity)
        unsafe transactions.initialize(repeating: Transaction(), count: capacity)
        unsafe free = .allocate(capacity: capacity)
        for slot in 0..<capacity { unsafe (free + slot).initialize(to: Int32(capacity - 1 - slot)) }
        freeCount = capacity
        unsafe request = .allocate(byteCount: message.bytes, alignment: 64)
        unsafe message.write(0, to: request)
        unsafe replies = .allocate(byteCount: capacity * message.bytes, alignment: 64)
        _ = c_set_timer_slack(1)
    }

    deinit {
        for slot in 0..<capacity where unsafe transactions[slot].number >= 0 {
            unsafe Glibc.close(transactions[slot].number)
        }
        unsafe transactions.deallocate()
        unsafe free.deallocate()
        unsafe request.deallocate()
        unsafe replies.deallocate()
    }

    /// Sets the times.
    mutating func begin(_ window: RunWindow) {
        self.window = window
        result.timeline.begin(window)
    }

    var hasFreeSlot: Bool { freeCount > 0 }
    var outstanding: Int { capacity - freeCount }

    /// Starts a transaction; false for one that failed at once, which is an error and over.
    mutating func begin(startedAt start: UInt64) throws(Errno) -> Bool {
        let socket = try StreamSocket(for: address, .nonblocking)
        // The server closes first, in order; a reset from here then leaves no TIME_WAIT there.
        if resets { try setSocketOption(.resetOnClose, on: socket.descriptor) }
        let connection: Connection
        do throws(Errno) {
            connection = try socket.connect(to: address)
        } catch {
            result.fail(.init("connect", error.rawValue), isMeasured: window.measures(start))
            return false
        }
        freeCount -= 1
        let slot = unsafe Int(free[freeCount])
        try epoll.add(
            connection.descriptor, [.readable, .writable, .peerClosed, .edgeTriggered], token: UInt64(slot))
        unsafe transactions[slot] = Transaction(number: connection.release().release().rawValue, start: start)
        advance(slot)
        return true
    }

    /// Waits for replies until a time at most, and takes them.
    mutating func awaitReplies(until deadline: UInt64) throws(Errno) {
        let now = monotonicNanoseconds()
        let ready = try epoll.wait(into: events, timeout: .nanoseconds(deadline > now ? deadline - now : 0))
        for index in 0..<ready { advance(Int(events[index].token)) }
    }

    /// What was seen, and how much was due; to be called when nothing starts any more.
    func result(_ arrivals: borrowing Arrivals) -> ClientResult {
        var result = result
        var schedule = copy arrivals
        result.due = schedule.countDue()
        return result
    }

    /// Gives up what has no answer; it is closed when the client ends.
    mutating func abandonOutstanding(_ arrivals: Arrivals) {
        result.lost += UInt64(outstanding) + arrivals.notStarted
    }

    /// Sends and receives what is possible now.
    private mutating func advance(_ slot: Int) {
        let bytes = message.bytes
        while unsafe transactions[slot].sent < bytes {
            let transaction = unsafe transactions[slot]
            let sent = unsafe Glibc.send(
                transaction.number, request + transaction.sent, bytes - transaction.sent, CInt(MSG_NOSIGNAL))
            if sent < 0 {
                return errno == EAGAIN ? () : end(slot, .onConnection("send", errno, isFirst: transaction.sent == 0))
            }
            unsafe transactions[slot].sent = transaction.sent + sent
        }
        while unsafe transactions[slot].received < bytes {
            let transaction = unsafe transactions[slot]
            let place = unsafe replies + slot * bytes + transaction.received
            let received = unsafe recv(transaction.number, place, bytes - transaction.received, 0)
            if received < 0 && errno == EAGAIN { return }
            guard received > 0 else {
                return end(
                    slot, received == 0 ? .earlyEnd : .onConnection("recv", errno, isFirst: transaction.sent == 0))
            }
            unsafe transactions[slot].received = transaction.received + received
        }
        end(slot, unsafe message.matches(0, replies + slot * bytes) ? nil : .wrongBytes)
    }

    private mutating func end(_ slot: Int, _ failure: FailureTally.Cause?) {
        let now = monotonicNanoseconds()
        let transaction = unsafe transactions[slot]
        Glibc.close(transaction.number)
        unsafe transactions[slot].number = -1
        unsafe free[freeCount] = Int32(slot)
        freeCount += 1
        result.lastAnswer = now
        let isMeasured = window.measures(transaction.start)
        if let failure { return result.fail(failure, isMeasured: isMeasured) }
        result.timeline.note(now)
        if isMeasured { result.latencies.record(nanoseconds: now - transaction.start) }
    }
}

/// Begins transactions when the arrivals say so and takes the replies, until all that started is done.
func requestAndAwaitReply(
    _ client: inout RequestClient, _ arrivals: inout Arrivals, deadline: UInt64, _ abandonment: Abandonment
) throws(Errno) {
    while true {
        var now = monotonicNanoseconds()
        var longestWait: UInt64 = 100_000_000
        while client.hasFreeSlot, let start = arrivals.next(now: now) {
            guard try client.begin(startedAt: start) else {
                // Without a port or a route the next one would fail too: first the others get their turn.
                longestWait = 1_000_000
                break
            }
            now = monotonicNanoseconds()
        }
        if client.outstanding == 0 && arrivals.isOver(now: now) { return }
        if now >= deadline || abandonment.isRequested { return client.abandonOutstanding(arrivals) }
        let nextStart = client.hasFreeSlot ? arrivals.nextStart : .max
        try client.awaitReplies(until: min(nextStart, now + longestWait))
    }
}
