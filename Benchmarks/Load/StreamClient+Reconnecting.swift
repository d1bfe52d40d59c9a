import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

extension StreamClient where Format: ~Copyable {
    /// Begins the operation that follows an answer, after the plan's time to think.
    @inline(__always) mutating func beginNext(_ index: Int, _ now: UInt64) {
        if thinkNanoseconds == 0 {
            queue(index, startedAt: now)
        } else {
            thinking.push(index, at: now + thinkNanoseconds)
        }
    }

    /// Begins what is due by now.
    mutating func startDue(_ now: UInt64) {
        while let index = thinking.pop(dueAt: now) {
            guard now < result.window.loadEnd else { continue }
            queue(index, startedAt: monotonicNanoseconds())
            flush(index)
        }
        while let index = waiting.pop(dueAt: now) { connect(index, now) }
    }

    /// The connection ended before it should have: what was in flight on it failed.
    mutating func drop(_ index: Int, _ cause: FailureTally.Cause) {
        let stream = unsafe streams[index]
        disconnect(index)
        // What the server never got goes out on the next connection, if this one worked.
        let keepsRest = Format.reconnects && stream.asked > stream.received
        let failed = fail(index, upTo: keepsRest ? stream.asked : stream.queued, cause)
        let now = monotonicNanoseconds()
        // No operation failed with it.
        if failed == 0 { result.failures.note(cause) }
        guard Format.reconnects else { return }
        if isClosedLoop { unsafe streams[index].owed += failed }
        // A server that is down, or up to no good, is not asked without a pause.
        stream.replies > 0 ? reconnect(index, now) : waiting.push(index, at: pace.take(now + retryNanoseconds))
    }

    /// Closes a stream's connection. What is not answered by then is sent again on the next one.
    mutating func disconnect(_ index: Int) {
        unsafe close(streams[index].descriptor)
        unsafe streams[index].descriptor = -1
        openConnections -= 1
    }

    /// Makes a stream's connection again, as soon as the pace allows.
    mutating func reconnect(_ index: Int, _ now: UInt64) {
        let turn = pace.take(now)
        turn <= now ? connect(index, now) : waiting.push(index, at: turn)
    }

    private mutating func connect(_ index: Int, _ now: UInt64) {
        let stream = unsafe streams[index]
        let isOver = now >= result.window.loadEnd
        if isOver && stream.queued == stream.received { return }
        do throws(Errno) {
            let connection = try StreamSocket(for: address, .nonblocking).connect(to: address)
            try prepare(connection.descriptor, for: address)
            // This end closes first after a reply that is the last: a reset leaves no TIME_WAIT that would hold the port.
            if resets { try setSocketOption(.resetOnClose, on: connection.descriptor) }
            try epoll.add(connection.descriptor, streamEvents, token: UInt64(index))
            unsafe streams[index].descriptor = connection.release().release().rawValue
        } catch {
            let failed = fail(index, upTo: stream.queued, .init("connect", error.rawValue))
            if failed == 0 { result.failures.note(.init("connect", error.rawValue)) }
            if isClosedLoop { unsafe streams[index].owed += failed }
            return waiting.push(index, at: pace.take(now + retryNanoseconds))
        }
        openConnections += 1
        result.reconnections += 1
        unsafe streams[index].sent = stream.received
        unsafe streams[index].sentBytes = 0
        unsafe streams[index].replies = 0
        unsafe streams[index].sendError = 0
        unsafe streams[index].owed = 0
        unsafe replies[index] = format.reply(to: stream.received, stream: index)
        if !isOver { for _ in 0..<Int(stream.owed) { beginNext(index, now) } }
        flush(index)
    }
}

/// How long a stream waits that could not be connected, or was closed before it got anything.
let retryNanoseconds: UInt64 = 10_000_000

/// After one of these no further event comes.
let endEvents: EpollEvents = [.peerClosed, .hangup, .error]

let streamEvents: EpollEvents = [.readable, .writable, .peerClosed, .edgeTriggered]

/// So many connections, no faster than the pace allows.
///
/// - Parameter isGivenUp: asked again and again; `ECANCELED` is thrown when it says so.
func connectAll(
    _ count: Int, to address: SocketAddress, _ pace: inout ConnectPace, _ isGivenUp: () -> Bool
) throws(Errno) -> [CInt] {
    var descriptors: [CInt] = []
    descriptors.reserveCapacity(count)
    do throws(Errno) {
        while descriptors.count < count {
            let turn = pace.take(monotonicNanoseconds())
            while turn > monotonicNanoseconds() {
                if isGivenUp() { throw .canceled }
                sleepUntil(nanoseconds: min(turn, monotonicNanoseconds() + 100_000_000))
            }
            descriptors.append(try connected(to: address, isGivenUp).release().release().rawValue)
        }
    } catch {
        for descriptor in descriptors { close(descriptor) }
        throw error
    }
    return descriptors
}

/// A connection that is made when this returns, or given up after a time: connect(2) itself waits for two minutes for a
/// peer that does not answer.
private func connected(to address: SocketAddress, _ isGivenUp: () -> Bool) throws(Errno) -> Connection {
    let deadline = monotonicNanoseconds() + 2 * RunWindow.graceNanoseconds
    let connection = try begun(to: address, until: deadline, isGivenUp)
    var entry = pollfd(fd: connection.descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
    while unsafe poll(&entry, 1, 100) <= 0 {
        guard !isGivenUp() else { throw .canceled }
        guard monotonicNanoseconds() < deadline else { throw .timedOut }
    }
    if let error = try takeSocketError(of: connection.descriptor) { throw error }
    try prepare(connection.descriptor, for: address)
    return connection
}

/// A connection that is at least under way: a unix listener whose queue is full lets nobody in until there is room.
private func begun(
    to address: SocketAddress, until deadline: UInt64, _ isGivenUp: () -> Bool
) throws(Errno) -> Connection {
    while true {
        guard !isGivenUp() else { throw .canceled }
        do throws(Errno) {
            return try StreamSocket(for: address, .nonblocking).connect(to: address)
        } catch {
            guard error == .resourceTemporarilyUnavailable, monotonicNanoseconds() < deadline else { throw error }
            sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
        }
    }
}

/// Sets what a stream needs; a unix socket has no delay to be turned off.
private func prepare(_ descriptor: BorrowedDescriptor, for address: SocketAddress) throws(Errno) {
    if address.family != AF_UNIX { try setSocketOption(.noDelay, on: descriptor) }
}
