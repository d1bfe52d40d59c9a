import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// What became of an attempt to read from a connection.
enum EchoOutcome {
    /// Something was read, and echoed if a message was whole.
    case progress
    /// Nothing was there.
    case empty
    /// The connection is over and closed.
    case closed
}

/// What one `recv(2)` brought.
enum EchoReceipt: Equatable {
    /// So many whole messages at the front of the worker's buffer, or none if the first one is not whole yet.
    case messages(Int)
    /// Nothing was there.
    case empty
    /// The connection is over and closed.
    case closed
}

/// Reads and echoes for one worker, with ordinary system calls: what all readiness modes have in common.
@safe struct EchoWorker: ~Copyable {
    let connections: EchoConnections
    private let failures: FailureLog
    let meter: WorkerMeter
    let message: MessagePattern
    /// True if a connection ends with its first reply.
    let closesAfterReply: Bool
    /// Receives and accepts that brought something: a wakeup without one is spurious.
    var progress: UInt64 = 0
    /// Listeners with connections for which there was no descriptor or no memory, and when to try them again.
    private var listenersToRetry: [CInt] = []
    private var retryTime: UInt64 = 0
    /// Several workers can be told of the same connection at the same time.
    private let sharesConnections: Bool
    /// The loop closes connections, not the worker: their descriptors are not its own.
    private let leavesClosing: Bool
    private let ordersMessages: Bool
    private let acceptOptions: AcceptOptions
    private let stop: BorrowedDescriptor
    private var service: ServiceTimeSource
    private let buffer: UnsafeMutableRawPointer
    private let capacity: Int

    init(
        _ plan: ServerPlan, _ traffic: Traffic, _ member: WorkerTeam.Member, _ connections: EchoConnections,
        _ message: MessagePattern
    ) {
        self.connections = connections
        meter = member.meter
        failures = member.failures
        self.message = message
        closesAfterReply = traffic.workload == .crr
        sharesConnections = plan.sharesConnections
        leavesClosing = plan.sharesConnections || plan.loop.mode.capabilities.hasOwnTable
        ordersMessages = traffic.ordersMessages
        stop = member.stop
        acceptOptions = plan.loop.mode.capabilities.socketsBlock ? [] : [.nonblocking]
        service = ServiceTimeSource(plan.service, seed: plan.loop.seed &+ UInt64(member.index))
        capacity = traffic.chunkBytes
        unsafe buffer = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// What an event on this connection is registered with.
    @inline(__always) func token(_ fd: CInt) -> Token {
        Token(.connection, fd, generation: connections.generation(of: fd))
    }

    /// To be called before the connection of an event is used; false if it has ended since. Free where a worker has its
    /// connections to itself.
    @inline(__always) func acquire(_ token: Token) -> Bool {
        guard sharesConnections, token.kind == .connection else { return true }
        return connections.acquire(token.fd, generation: token.generation)
    }

    /// Ends what ``acquire(_:)`` began.
    @inline(__always) func release(_ token: Token) {
        guard sharesConnections, token.kind == .connection else { return }
        if connections.release(token.fd) { closeDescriptor(token.fd) }
    }

    /// One `recv(2)`, and one `send(2)` with all messages that are whole.
    mutating func receiveAndEcho(_ fd: CInt) -> EchoOutcome {
        echo(fd, receive(fd))
    }

    /// One `recv(2)` behind what is left of the last one.
    mutating func receive(_ fd: CInt) -> EchoReceipt {
        unsafe receive(fd) {
            let received = unsafe recv(fd, $0.baseAddress, $0.count, 0)
            return received < 0 ? -Int(errno) : received
        }
    }

    /// The same with another call than `recv(2)`, which returns the number of bytes, or a negative error number.
    @unsafe @inline(__always)
    mutating func receive(_ fd: CInt, _ call: (UnsafeMutableRawBufferPointer) -> Int) -> EchoReceipt {
        let tail = connections.hasTail(fd) ? unsafe connections.takeTail(fd, into: buffer) : 0
        meter.add(.systemCalls)
        let received = unsafe call(UnsafeMutableRawBufferPointer(start: buffer + tail, count: capacity - tail))
        guard received > 0 else { return noBytes(fd, -CInt(received), tail) }
        progress += 1
        let count = (tail + received) / message.bytes
        let whole = count * message.bytes
        if whole < tail + received {
            unsafe connections.keepTail(fd, buffer + whole, count: tail + received - whole)
        }
        return .messages(count)
    }

    /// Serves what was received, and sends it back with one `send(2)`.
    mutating func echo(_ fd: CInt, _ receipt: EchoReceipt) -> EchoOutcome {
        unsafe echo(fd, receipt) {
            let sent = unsafe send(fd, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            return sent < 0 ? -Int(errno) : sent
        }
    }

    /// The same with another call than `send(2)`, which returns the number of bytes, or a negative error number.
    @unsafe @inline(__always)
    mutating func echo(_ fd: CInt, _ receipt: EchoReceipt, _ call: (UnsafeRawBufferPointer) -> Int) -> EchoOutcome {
        let count: Int
        switch receipt {
        case .messages(let whole): count = whole
        case .empty: return .empty
        case .closed: return .closed
        }
        guard count > 0 else { return .progress }
        unsafe serve(fd, buffer, count)
        // With the reply the client may reset; another worker that is told of that must not count a loss.
        if closesAfterReply && sharesConnections { connections.ended(fd) }
        guard unsafe sendAll(fd, count * message.bytes, call) else { return .closed }
        replied(count)
        guard closesAfterReply else { return .progress }
        close(fd)
        return .closed
    }

    /// True if a message keeps the worker for a while.
    var isBusy: Bool { service.isBusy }

    /// Counts messages whose reply the kernel has taken completely.
    @inline(__always) func replied(_ count: Int) {
        meter.add(.operations, UInt64(count))
    }

    /// Serves whole messages that were received.
    @unsafe @inline(__always)
    mutating func serve(_ fd: CInt, _ memory: UnsafeRawPointer, _ count: Int) {
        meter.began()
        for _ in 0..<count { service.serve(meter) }
        meter.add(.chunks)
        // Noted after the service: only then are the messages handled, and another worker may have been faster.
        if ordersMessages { unsafe noteOrder(fd, memory, count) }
    }

    /// Counts what comes after later messages, or does not begin with a message.
    @unsafe private func noteOrder(_ fd: CInt, _ memory: UnsafeRawPointer, _ count: Int) {
        let first = unsafe MessagePattern.sequence(memory)
        let inOrder = first.map { connections.handledInOrder(fd, first: $0, count: count) } ?? false
        if !inOrder { meter.add(.outOfOrder) }
    }

    /// What a `recv(2)` without bytes means.
    private func noBytes(_ fd: CInt, _ error: CInt, _ tail: Int) -> EchoReceipt {
        if error == EAGAIN || error == EINTR {
            if tail > 0 { unsafe connections.keepTail(fd, buffer, count: tail) }
            meter.add(.emptyCalls)
            return .empty
        }
        let isFirst = close(fd)
        // An orderly end between two messages is the only one without a loss; what another worker ended lost nothing.
        if error != 0 && isFirst || tail > 0 { fail(error != 0 ? .init("recv", error) : .earlyEnd) }
        return .closed
    }

    /// Sends everything, waiting for room where there is none; false if the peer is gone or the run over, and the
    /// connection closed.
    ///
    /// A server would watch for room and serve others meanwhile. Here each client thread takes all that comes, so room is
    /// a matter of its next turn, and a queue of unsent replies would be measured with every message.
    @unsafe @inline(__always)
    private func sendAll(_ fd: CInt, _ count: Int, _ call: (UnsafeRawBufferPointer) -> Int) -> Bool {
        var sent = 0
        var isShort = false
        while true {
            meter.add(.systemCalls)
            let result = unsafe call(UnsafeRawBufferPointer(start: buffer + sent, count: count - sent))
            if result >= 0 { sent += result }
            if sent == count { return true }
            if result < 0 && result != -Int(EAGAIN) && result != -Int(EINTR) {
                fail(.init("send", -CInt(result)))
                close(fd)
                return false
            }
            if !isShort { meter.add(.shortSends) }
            isShort = true
            guard waitForRoom(fd) else {
                close(fd)
                return false
            }
        }
    }

    /// Counts an operation that failed.
    @inline(never) func fail(_ cause: FailureTally.Cause) {
        meter.add(.errors)
        failures.note(cause)
    }

    /// Waits until a connection can be sent to; false if the run is over.
    private func waitForRoom(_ fd: CInt) -> Bool {
        meter.add(.systemCalls)
        let room = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        var entries = (room, pollfd(fd: stop.rawValue, events: Int16(POLLIN), revents: 0))
        unsafe withUnsafeMutablePointer(to: &entries) {
            _ = unsafe $0.withMemoryRebound(to: pollfd.self, capacity: 2) { unsafe poll($0, 2, -1) }
        }
        return entries.1.revents == 0
    }

    /// Ends a connection, and closes it if it is the worker's own; false if another worker ended it before. A shared one
    /// is closed by the last worker that releases it.
    @discardableResult private func close(_ fd: CInt) -> Bool {
        guard connections.ended(fd) else { return false }
        if !leavesClosing { closeDescriptor(fd) }
        return true
    }

    private func closeDescriptor(_ fd: CInt) {
        meter.add(.systemCalls)
        Glibc.close(fd)
    }

    /// Takes a new connection from a listener; nil if none is there, or if there is no descriptor or no memory for it:
    /// then ``hasShortage``.
    mutating func accept(from listener: CInt) throws(Errno) -> CInt? {
        if hasShortage && monotonicNanoseconds() < retryTime {
            retryLater(listener)
            return nil
        }
        meter.add(.systemCalls)
        let accepted: Connection?
        do throws(Errno) {
            accepted = try acceptConnection(from: BorrowedDescriptor(rawValue: listener), acceptOptions)
        } catch {
            guard error.isShortage else { throw error }
            try noteShortage(error, meter)
            retryLater(listener)
            retryTime = monotonicNanoseconds() + shortagePauseNanoseconds
            return nil
        }
        guard let connection = accepted else {
            meter.add(.emptyCalls)
            return nil
        }
        guard connection.descriptor.rawValue < connections.capacity else { throw .tooManyOpenFiles }
        let fd = connection.release().release().rawValue
        connections.began(fd)
        progress += 1
        return fd
    }

    /// True while a listener has connections that descriptors or memory were missing for. A wait then needs a limit: an
    /// edge-triggered set does not report them again.
    var hasShortage: Bool { !listenersToRetry.isEmpty }

    /// Ends a batch during a shortage: sleeps if it brought nothing, because a level-triggered set reports the listener
    /// again at once, and returns the listeners that are to be tried again now.
    mutating func pauseInShortage(since before: UInt64) -> [CInt] {
        if progress == before {
            meter.add(.systemCalls)
            sleepUntil(nanoseconds: retryTime)
        }
        if monotonicNanoseconds() < retryTime { return [] }
        defer { listenersToRetry = [] }
        return listenersToRetry
    }

    private mutating func retryLater(_ listener: CInt) {
        if !listenersToRetry.contains(listener) { listenersToRetry.append(listener) }
    }
}
