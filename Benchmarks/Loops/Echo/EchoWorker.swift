import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// What became of an attempt to read from a connection.
enum EchoOutcome {
    /// Something was read, and answered if a request was whole.
    case progress
    /// Nothing was there.
    case empty
    /// The connection is over and closed.
    case closed
}

/// What one `recv(2)` brought.
enum EchoReceipt: Equatable {
    /// So many whole requests at the front of the worker's buffer, or none if the first one is not whole yet.
    case requests(Int)
    /// Nothing was there.
    case empty
    /// The connection is over and closed.
    case closed
}

/// Reads and answers for one worker, with ordinary system calls: what all readiness modes have in common.
@safe struct EchoWorker: ~Copyable {
    let connections: EchoConnections
    private let failures: FailureLog
    let meter: WorkerMeter
    let format: RequestFormat
    /// True if a connection ends with its first reply.
    let closesAfterReply: Bool
    /// Receives and accepts that brought something: a wakeup without one is spurious.
    var progress: UInt64 = 0
    /// Listeners with connections for which there was no descriptor or no memory, and when to try them again.
    var listenersToRetry: [CInt] = []
    var retryTime: UInt64 = 0
    /// Several workers can be told of the same connection at the same time.
    private let sharesConnections: Bool
    /// The loop closes connections, not the worker: their descriptors are not its own.
    private let leavesClosing: Bool
    private let ordersMessages: Bool
    /// Beyond so many connections new ones are closed at once; nil if their clients see to it.
    let mostConnections: Int?
    let acceptOptions: AcceptOptions
    /// How its loop waits: in an epoll set, and in any.
    let waiting: EpollWaiting
    let spinNanoseconds: UInt64
    private let stop: BorrowedDescriptor
    private var service: ServiceTimeSource
    /// Where what is received goes: memory of the worker's, unless a loop has other memory for it.
    var buffer: UnsafeMutableRawPointer
    private let ownBuffer: UnsafeMutableRawPointer
    let capacity: Int
    /// Of a protocol other than an echo: the first requests in the buffer, and how far they all go.
    private var received = (first: Requests(), extent: RequestExtent(bytes: 0))

    init(
        _ plan: ServerPlan, _ traffic: Traffic, _ member: WorkerTeam.Member, _ connections: EchoConnections,
        _ format: RequestFormat
    ) {
        self.connections = connections
        meter = member.meter
        failures = member.failures
        self.format = format
        closesAfterReply = traffic.closesAfterReply
        sharesConnections = plan.sharesConnections
        let mode = plan.loop.mode.capabilities
        leavesClosing =
            plan.sharesConnections || mode.hasOwnTable || mode.pollsHoldFiles && !traffic.closesAfterReply
        ordersMessages = traffic.ordersMessages
        mostConnections = traffic.limitsConnections ? traffic.connections : nil
        stop = member.stop
        acceptOptions = plan.loop.mode.capabilities.socketsBlock ? [] : [.nonblocking]
        waiting = EpollWaiting(plan.loop.mode.options)
        spinNanoseconds = plan.loop.mode.options.spinNanoseconds
        service = ServiceTimeSource(plan.service, seed: plan.loop.seed &+ UInt64(member.index))
        capacity = traffic.chunkBytes
        unsafe ownBuffer = .allocate(byteCount: capacity, alignment: 64)
        unsafe buffer = unsafe ownBuffer
    }

    deinit {
        unsafe ownBuffer.deallocate()
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

    /// One `recv(2)`, and one `send(2)` with the replies to all requests that are whole.
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
        let requests = unsafe format.requests(buffer, tail + received)
        guard format.isEcho else { return unsafe scanned(fd, requests, tail + received) }
        let whole = requests.bytes
        if whole < tail + received {
            unsafe connections.keepTail(fd, buffer + whole, count: tail + received - whole)
        }
        return .requests(requests.count)
    }

    /// Serves what was received, and answers it with one `send(2)`.
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
        case .requests(let whole): count = whole
        case .empty: return .empty
        case .closed: return .closed
        }
        guard count > 0 else { return .progress }
        guard format.isEcho else { return unsafe answer(fd, call) }
        unsafe serve(fd, buffer, count)
        // With the reply the client may reset; another worker that is told of that must not count a loss.
        if closesAfterReply && sharesConnections { connections.ended(fd) }
        let reply = unsafe UnsafeRawBufferPointer(start: buffer, count: count * format.messageBytes)
        guard unsafe sendAll(fd, reply, call) else { return .closed }
        replied(count)
        guard closesAfterReply else { return .progress }
        close(fd)
        return .closed
    }

    /// Notes how far the requests go that were received, and keeps what is left behind them; closes if they are none.
    @unsafe private mutating func scanned(_ fd: CInt, _ first: Requests, _ count: Int) -> EchoReceipt {
        if first.isRefused {
            refuse(fd)
            return .closed
        }
        let extent = unsafe format.extent(of: first, buffer, count)
        if extent.bytes < count && !extent.hasLast && !extent.isRefused {
            unsafe connections.keepTail(fd, buffer + extent.bytes, count: count - extent.bytes)
        }
        received = (first, extent)
        return .requests(first.count)
    }

    /// Serves the requests that were scanned, and sends their replies, with one call for all that get the same.
    @unsafe private mutating func answer(_ fd: CInt, _ call: (UnsafeRawBufferPointer) -> Int) -> EchoOutcome {
        var (requests, extent) = received
        var start = 0
        while true {
            unsafe serve(fd, buffer + start, requests.count)
            let isLast = format.isLast(requests)
            if isLast && sharesConnections { connections.ended(fd) }
            guard unsafe sendAll(fd, format.reply(to: requests, at: buffer + start), call) else { return .closed }
            replied(requests.count)
            if isLast {
                close(fd)
                return .closed
            }
            start += requests.bytes
            if start >= extent.bytes {
                guard extent.isRefused else { return .progress }
                refuse(fd)
                return .closed
            }
            requests = unsafe format.requests(buffer + start, extent.bytes - start)
        }
    }

    /// Closes a connection on which something came that is no request.
    private func refuse(_ fd: CInt) {
        close(fd)
        fail(.wrongRequest)
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

    /// Serves whole messages that passed without being looked at.
    @inline(__always) mutating func serveUnseen(_ count: Int) {
        meter.began()
        for _ in 0..<count { service.serve(meter) }
        meter.add(.chunks)
    }

    /// Counts what comes after later messages, or does not begin with a message.
    @unsafe private func noteOrder(_ fd: CInt, _ memory: UnsafeRawPointer, _ count: Int) {
        let first = unsafe MessagePattern.sequence(memory)
        let inOrder = first.map { connections.handledInOrder(fd, first: $0, count: count) } ?? false
        if !inOrder { meter.add(.outOfOrder) }
    }

    /// What a `recv(2)` without bytes means.
    func noBytes(_ fd: CInt, _ error: CInt, _ tail: Int) -> EchoReceipt {
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
    /// a matter of its next turn, and a queue of unsent replies would be measured with every message. Of other clients
    /// (`bench serve`) one that takes nothing holds the worker up until it is given up: at first it cannot be told from one
    /// that is slow to take a long reply, and a queue for it would make another server than the one that is measured.
    @unsafe @inline(__always)
    func sendAll(
        _ fd: CInt, _ bytes: UnsafeRawBufferPointer, _ call: (UnsafeRawBufferPointer) -> Int
    ) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let count = bytes.count
        var sent = 0
        var isShort = false
        while true {
            meter.add(.systemCalls)
            let result = unsafe call(UnsafeRawBufferPointer(start: start + sent, count: count - sent))
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

    /// Waits until a connection can be sent to; false if the run is over, or if the client takes nothing for long.
    private func waitForRoom(_ fd: CInt) -> Bool {
        meter.add(.systemCalls)
        let room = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        let limit = CInt(RunWindow.graceNanoseconds / 1_000_000)
        var entries = (room, pollfd(fd: stop.rawValue, events: Int16(POLLIN), revents: 0))
        unsafe withUnsafeMutablePointer(to: &entries) {
            _ = unsafe $0.withMemoryRebound(to: pollfd.self, capacity: 2) { unsafe poll($0, 2, limit) }
        }
        if entries.0.revents == 0 && entries.1.revents == 0 { fail(.init("send", ETIMEDOUT)) }
        return entries.0.revents != 0 && entries.1.revents == 0
    }

    /// Ends a connection, and closes it if it is the worker's own; false if another worker ended it before. A shared one
    /// is closed by the last worker that releases it.
    @discardableResult func close(_ fd: CInt) -> Bool {
        guard connections.ended(fd) else { return false }
        if !leavesClosing { closeDescriptor(fd) }
        return true
    }

    private func closeDescriptor(_ fd: CInt) {
        meter.add(.systemCalls)
        Glibc.close(fd)
    }
}
