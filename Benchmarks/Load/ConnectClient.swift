import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// One thread's connections to the server, each from the connect to the sight of the server's close.
///
/// All memory is allocated before the first connection.
@safe struct ConnectClient: ~Copyable {
    private let address: SocketAddress
    private let epoll: Epoll
    private let events: EpollEventBuffer
    private let capacity: Int
    /// By slot: the connection's descriptor, and when its operation started.
    private let descriptors: UnsafeMutablePointer<CInt>
    private let starts: UnsafeMutablePointer<UInt64>
    /// A stack of free slots.
    private let free: UnsafeMutablePointer<Int32>
    private var freeCount: Int
    private var window = RunWindow.never
    /// What was seen so far.
    private(set) var result = ClientResult()

    init(to address: SocketAddress, capacity: Int) throws(Errno) {
        epoll = try Epoll()
        events = EpollEventBuffer(capacity: min(capacity, 256))
        self.address = address
        self.capacity = capacity
        unsafe descriptors = .allocate(capacity: capacity)
        unsafe starts = .allocate(capacity: capacity)
        unsafe free = .allocate(capacity: capacity)
        for slot in 0..<capacity { unsafe (free + slot).initialize(to: Int32(capacity - 1 - slot)) }
        freeCount = capacity
        // The default slack of 50 us would make every scheduled start late (PR_SET_TIMERSLACK).
        _ = c_set_timer_slack(1)
    }

    deinit {
        var isFree = [Bool](repeating: false, count: capacity)
        for index in 0..<freeCount { unsafe isFree[Int(free[index])] = true }
        for slot in 0..<capacity where !isFree[slot] { unsafe Glibc.close(descriptors[slot]) }
        unsafe descriptors.deallocate()
        unsafe starts.deallocate()
        unsafe free.deallocate()
    }

    /// Sets the times.
    ///
    /// - Parameter isQueued: connections are open already; they count as started at the start of a window that is open.
    mutating func begin(_ window: RunWindow, isQueued: Bool) {
        self.window = window
        result.timeline.begin(window, isOpen: isQueued)
        guard isQueued else { return }
        // What failed before is missing now.
        result.failedInWindow = result.failures.total
        for slot in 0..<capacity { unsafe starts[slot] = window.start }
    }

    var hasFreeSlot: Bool { freeCount > 0 }
    var outstanding: Int { capacity - freeCount }

    /// Starts a connection; false for one that failed at once, which is an error and over.
    mutating func connect(startedAt start: UInt64) throws(Errno) -> Bool {
        let socket = try StreamSocket(for: address, .nonblocking)
        let connection: Connection
        do throws(Errno) {
            connection = try socket.connect(to: address)
        } catch {
            result.fail(.init("connect", error.rawValue), isMeasured: window.measures(start))
            return false
        }
        let slot = unsafe Int(free[freeCount - 1])
        try epoll.add(connection.descriptor, [.readable, .peerClosed, .edgeTriggered], token: UInt64(slot))
        freeCount -= 1
        unsafe descriptors[slot] = connection.release().release().rawValue
        unsafe starts[slot] = start
        return true
    }

    /// Waits for closes until a time at most, and takes them.
    mutating func awaitCloses(until deadline: UInt64) throws(Errno) {
        let now = monotonicNanoseconds()
        let ready = try epoll.wait(into: events, timeout: .nanoseconds(deadline > now ? deadline - now : 0))
        let seen = monotonicNanoseconds()
        for index in 0..<ready { try finish(Int(events[index].token), seen) }
    }

    private mutating func finish(_ slot: Int, _ now: UInt64) throws(Errno) {
        let number = unsafe descriptors[slot]
        let end = connectionEnd(number)
        guard end != .none else { return }
        Glibc.close(number)
        unsafe free[freeCount] = Int32(slot)
        freeCount += 1
        result.lastAnswer = now
        let start = unsafe starts[slot]
        if case .failure(let cause) = end { return result.fail(cause, isMeasured: window.measures(start)) }
        result.timeline.note(now)
        if window.measures(start) { result.latencies.record(nanoseconds: now - start) }
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
}

/// How a connection stands.
private enum ConnectionEnd: Equatable {
    case none
    /// The server closed it, with a reset or in order.
    case closed
    /// It could not be made, or brought something else.
    case failure(FailureTally.Cause)
}

private func connectionEnd(_ number: CInt) -> ConnectionEnd {
    var byte: UInt8 = 0
    let count = unsafe recv(number, &byte, 1, 0)
    if count == 0 { return .closed }
    if count > 0 { return .failure(.wrongBytes) }
    switch errno {
    case ECONNRESET: return .closed
    case EAGAIN, EINTR: return .none
    default: return .failure(.onConnection("recv", errno, isFirst: true))
    }
}

/// Connects when the arrivals say so, and waits for the server's closes, until all that started is done.
func connectAndAwaitClose(
    _ client: inout ConnectClient, _ arrivals: inout Arrivals, deadline: UInt64, _ abandonment: Abandonment
) throws(Errno) {
    while true {
        var now = monotonicNanoseconds()
        var longestWait: UInt64 = 100_000_000
        while client.hasFreeSlot, let start = arrivals.next(now: now) {
            guard try client.connect(startedAt: start) else {
                // Without a port or a route the next one would fail too: first the others get their turn.
                longestWait = 1_000_000
                break
            }
            now = monotonicNanoseconds()
        }
        if client.outstanding == 0 && arrivals.isOver(now: now) { return }
        if now >= deadline || abandonment.isRequested { return client.abandonOutstanding(arrivals) }
        let nextStart = client.hasFreeSlot ? arrivals.nextStart : .max
        try client.awaitCloses(until: min(nextStart, now + longestWait))
    }
}
