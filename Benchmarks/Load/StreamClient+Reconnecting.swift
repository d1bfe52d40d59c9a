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
            beginConnected(index, now)
        } else {
            thinking.push(index, at: now + thinkNanoseconds)
        }
    }

    /// Begins an operation, or leaves it to the connection whose turn has not come: an operation that has not begun is not
    /// late because this client keeps its own pace.
    @inline(__always) private mutating func beginConnected(_ index: Int, _ now: UInt64) {
        if unsafe streams[index].isOpen || streams[index].isInLine || !Format.reconnects {
            queue(index, startedAt: now)
        } else {
            unsafe streams[index].owed += 1
        }
    }

    /// Begins as many operations as failed, in a closed loop.
    private mutating func beginAgain(_ index: Int, _ failed: UInt64, _ now: UInt64) {
        if isClosedLoop { for _ in 0..<failed { beginNext(index, now) } }
    }

    /// Begins what is due by now.
    mutating func startDue(_ now: UInt64) {
        while let index = thinking.pop(dueAt: now) {
            guard now < result.window.loadEnd else { continue }
            beginConnected(index, monotonicNanoseconds())
            flush(index)
        }
        while let index = waiting.pop(dueAt: now) { connect(index, monotonicNanoseconds()) }
        while let index = line.first(dueAt: now) {
            guard tryToConnect(index, monotonicNanoseconds()) else {
                return line.postpone(at: monotonicNanoseconds())
            }
            line.removeFirst()
        }
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
        beginAgain(index, failed, now)
        // A server that is down, or up to no good, is not asked without a pause.
        stream.replies > 0 ? reconnect(index, now) : waiting.push(index, at: pace.take(now + retryNanoseconds))
    }

    /// Closes a stream's connection. What is not answered by then is sent again on the next one.
    mutating func disconnect(_ index: Int) {
        transport.close(index)
        unsafe close(streams[index].descriptor)
        unsafe streams[index].descriptor = -1
        if unsafe streams[index].isConnecting {
            unsafe streams[index].isConnecting = false
            connecting -= 1
        } else {
            openConnections -= 1
        }
    }

    /// Counts a connection that was begun and is made, as its first event says, or what it took.
    mutating func noteMade(_ index: Int) {
        guard unsafe streams[index].isConnecting else { return }
        unsafe streams[index].isConnecting = false
        connecting -= 1
        openConnections += 1
        result.reconnections += 1
    }

    /// Makes a stream's connection again, as soon as the pace allows.
    mutating func reconnect(_ index: Int, _ now: UInt64) {
        let turn = pace.take(now)
        turn <= now ? connect(index, now) : waiting.push(index, at: turn)
    }

    /// Makes a stream's connection now that its turn has come; it gets in line for it if a queue is full.
    private mutating func connect(_ index: Int, _ now: UInt64) {
        // Who waits is first.
        guard !line.isEmpty || !tryToConnect(index, now) else { return }
        unsafe streams[index].isInLine = true
        beginOwed(index, now)
        line.push(index, at: monotonicNanoseconds())
    }

    /// Begins the operations that waited for the turn of a stream.
    private mutating func beginOwed(_ index: Int, _ now: UInt64) {
        let owed = unsafe streams[index].owed
        unsafe streams[index].owed = 0
        guard now < result.window.loadEnd else { return }
        for _ in 0..<owed { queue(index, startedAt: now) }
    }

    /// False if a queue is full. A connection that fails otherwise waits for a turn again.
    private mutating func tryToConnect(_ index: Int, _ now: UInt64) -> Bool {
        let stream = unsafe streams[index]
        if now >= result.window.loadEnd && stream.queued == stream.received {
            unsafe streams[index].isInLine = false
            return true
        }
        do throws(Errno) {
            let connection = try StreamSocket(for: address, .nonblocking).connect(to: address)
            try prepareStream(connection.descriptor, for: address)
            // This end closes first after a reply that is the last: a reset leaves no TIME_WAIT that would hold the port.
            if resets { try setSocketOption(.resetOnClose, on: connection.descriptor) }
            try epoll.add(connection.descriptor, streamEvents, token: UInt64(index))
            let descriptor = connection.release().release().rawValue
            transport.open(index, descriptor)
            unsafe streams[index].descriptor = descriptor
        } catch {
            if isQueueFull(error, address) { return false }
            unsafe streams[index].isInLine = false
            let failed = fail(index, upTo: stream.queued, .init("connect", error.rawValue))
            if failed == 0 { result.failures.note(.init("connect", error.rawValue)) }
            beginAgain(index, failed, now)
            waiting.push(index, at: pace.take(now + retryNanoseconds))
            return true
        }
        begun += 1
        connecting += 1
        // What begins after a failure of this connection waits for its turn, and no more for the line.
        unsafe streams[index].isInLine = false
        unsafe streams[index].isConnecting = true
        unsafe streams[index].sent = stream.received
        unsafe streams[index].sentBytes = 0
        unsafe streams[index].replies = 0
        unsafe streams[index].sendError = 0
        unsafe replies[index] = format.reply(to: stream.received, stream: index)
        beginOwed(index, now)
        flush(index)
        return true
    }
}

/// How long a stream waits that could not be connected, or was closed before it got anything.
let retryNanoseconds: UInt64 = 10_000_000

/// After one of these no further event comes.
let endEvents: EpollEvents = [.peerClosed, .hangup, .error]

extension EpollEvents {
    /// True of the events of a connection that is made.
    var isMade: Bool { contains(.writable) && isDisjoint(with: [.hangup, .error]) }
}

let streamEvents: EpollEvents = [.readable, .writable, .peerClosed, .edgeTriggered]
