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
    /// Pieces received and connections accepted: a wakeup that brings none is spurious.
    var progress: UInt64 = 0
    /// Listeners with connections for which there was no descriptor or no memory, and when to ask them again.
    private var owed: [CInt] = []
    private var retryTime: UInt64 = 0
    /// Several workers can be told of the same connection at the same time.
    private let sharesConnections: Bool
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
        ordersMessages = traffic.ordersMessages
        stop = member.stop
        acceptOptions = plan.loop.mode.usesBlockingSockets ? [] : [.nonblocking]
        service = ServiceTimeSource(plan.service, seed: plan.loop.seed &+ UInt64(member.index))
        capacity = traffic.chunkBytes
        unsafe buffer = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// What an event on this connection is registered with.
    @inline(__always) func token(_ number: CInt) -> Token {
        Token(.connection, number, generation: connections.generation(of: number))
    }

    /// To be called before a connection that an event tells of is touched; false if it has ended since. Where a worker has
    /// its connections to itself that costs nothing.
    @inline(__always) func hold(_ token: Token) -> Bool {
        guard sharesConnections, token.kind == .connection else { return true }
        return connections.hold(token.number, generation: token.generation)
    }

    /// Ends what ``hold(_:)`` began.
    @inline(__always) func letGo(_ token: Token) {
        guard sharesConnections, token.kind == .connection else { return }
        if connections.release(token.number) { closeDescriptor(token.number) }
    }

    /// One `recv(2)`, and one `send(2)` with all messages that are whole.
    mutating func receiveAndEcho(_ number: CInt) -> EchoOutcome {
        echo(number, receive(number))
    }

    /// One `recv(2)` behind what is left of the last one.
    mutating func receive(_ number: CInt) -> EchoReceipt {
        let tail = connections.hasTail(number) ? unsafe connections.takeTail(number, into: buffer) : 0
        meter.add(.systemCalls)
        let received = unsafe recv(number, buffer + tail, capacity - tail, 0)
        guard received > 0 else { return noBytes(number, received, errno, tail) }
        progress += 1
        let count = (tail + received) / message.bytes
        let whole = count * message.bytes
        if whole < tail + received {
            unsafe connections.keepTail(number, buffer + whole, count: tail + received - whole)
        }
        return .messages(count)
    }

    /// Serves what was received, and sends it back with one `send(2)`.
    mutating func echo(_ number: CInt, _ receipt: EchoReceipt) -> EchoOutcome {
        let count: Int
        switch receipt {
        case .messages(let whole): count = whole
        case .empty: return .empty
        case .closed: return .closed
        }
        guard count > 0 else { return .progress }
        unsafe serve(number, buffer, count)
        // With the reply the client may reset, and who else is told of that is not to count a loss.
        if closesAfterReply && sharesConnections { connections.ended(number) }
        guard unsafe sendAll(number, buffer, count * message.bytes) else { return .closed }
        meter.add(.operations, UInt64(count))
        guard closesAfterReply else { return .progress }
        close(number)
        return .closed
    }

    /// True if a message keeps the worker for a while.
    var isBusy: Bool { service.isBusy }

    /// Serves whole messages that a ring received and will send back.
    @unsafe mutating func handle(_ number: CInt, _ memory: UnsafeRawPointer, _ count: Int) {
        unsafe serve(number, memory, count)
        meter.add(.operations, UInt64(count))
    }

    @unsafe @inline(__always)
    private mutating func serve(_ number: CInt, _ memory: UnsafeRawPointer, _ count: Int) {
        meter.began()
        for _ in 0..<count { service.serve(meter) }
        meter.add(.chunks)
        // Noted after the service: only then is the piece handled, and another worker may have been faster.
        if ordersMessages { unsafe noteOrder(number, memory, count) }
    }

    /// Counts a piece that comes after a later one, or that does not begin with a message.
    @unsafe private func noteOrder(_ number: CInt, _ memory: UnsafeRawPointer, _ count: Int) {
        let first = unsafe MessagePattern.sequence(memory)
        let inOrder = first.map { connections.handledInOrder(number, first: $0, count: count) } ?? false
        if !inOrder { meter.add(.outOfOrder) }
    }

    /// What a `recv(2)` without bytes means.
    private func noBytes(_ number: CInt, _ result: Int, _ error: CInt, _ tail: Int) -> EchoReceipt {
        if result < 0 && (error == EAGAIN || error == EINTR) {
            if tail > 0 { unsafe connections.keepTail(number, buffer, count: tail) }
            meter.add(.emptyCalls)
            return .empty
        }
        let isFirst = close(number)
        // An orderly end between two messages is the only one without a loss; what another worker ended lost nothing.
        if result < 0 && isFirst || tail > 0 { fail(result < 0 ? .init("recv", error) : .earlyEnd) }
        return .closed
    }

    /// Sends everything, waiting for room where there is none; false if the peer is gone or the run over, and the
    /// connection closed.
    ///
    /// A server would watch for room and serve others meanwhile. Here each client thread takes all that comes, so room is
    /// a matter of its next turn, and a queue of unsent replies would be measured with every message.
    @unsafe private func sendAll(_ number: CInt, _ memory: UnsafeRawPointer, _ count: Int) -> Bool {
        var sent = 0
        var isShort = false
        while true {
            meter.add(.systemCalls)
            let result = unsafe send(number, memory + sent, count - sent, CInt(MSG_NOSIGNAL))
            if result >= 0 { sent += result }
            if sent == count { return true }
            if result < 0 && errno != EAGAIN && errno != EINTR {
                fail(.init("send", errno))
                close(number)
                return false
            }
            if !isShort { meter.add(.shortSends) }
            isShort = true
            guard waitForRoom(number) else {
                close(number)
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
    private func waitForRoom(_ number: CInt) -> Bool {
        meter.add(.systemCalls)
        let room = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        var entries = (room, pollfd(fd: stop.rawValue, events: Int16(POLLIN), revents: 0))
        unsafe withUnsafeMutablePointer(to: &entries) {
            _ = unsafe $0.withMemoryRebound(to: pollfd.self, capacity: 2) { unsafe poll($0, 2, -1) }
        }
        return entries.1.revents == 0
    }

    /// Closes, a shared connection when the last worker that holds it lets go; false if somebody else did before.
    @discardableResult private func close(_ number: CInt) -> Bool {
        guard connections.ended(number) else { return false }
        if !sharesConnections { closeDescriptor(number) }
        return true
    }

    private func closeDescriptor(_ number: CInt) {
        meter.add(.systemCalls)
        Glibc.close(number)
    }

    /// Takes a new connection from a listener; nil if none is there, or if there is no descriptor or no memory for it:
    /// then ``isShort``.
    mutating func accept(from listener: CInt) throws(Errno) -> CInt? {
        if isShort && monotonicNanoseconds() < retryTime {
            owe(listener)
            return nil
        }
        meter.add(.systemCalls)
        let accepted: Connection?
        do throws(Errno) {
            accepted = try acceptConnection(from: BorrowedDescriptor(rawValue: listener), acceptOptions)
        } catch {
            guard error.isShortage else { throw error }
            try noteShortage(error, meter)
            owe(listener)
            retryTime = monotonicNanoseconds() + shortagePauseNanoseconds
            return nil
        }
        guard let connection = accepted else {
            meter.add(.emptyCalls)
            return nil
        }
        guard connection.descriptor.rawValue < connections.capacity else { throw .tooManyOpenFiles }
        let number = connection.release().release().rawValue
        connections.began(number)
        progress += 1
        return number
    }

    /// True while a listener has connections that descriptors or memory were missing for. Whoever waits then must not
    /// wait for ever: an edge-triggered set will not tell of them again.
    var isShort: Bool { !owed.isEmpty }

    /// Ends a batch during a shortage: rests if it brought nothing, for a level-triggered set tells of the listener over
    /// and over, and returns the listeners that are to be asked again by now.
    mutating func rest(since before: UInt64) -> [CInt] {
        if progress == before {
            meter.add(.systemCalls)
            sleepUntil(nanoseconds: retryTime)
        }
        if monotonicNanoseconds() < retryTime { return [] }
        defer { owed = [] }
        return owed
    }

    private mutating func owe(_ listener: CInt) {
        if !owed.contains(listener) { owed.append(listener) }
    }
}
