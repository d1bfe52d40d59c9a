import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// One thread's connections of one operation each: the client waits for the server's close, or sends one request, takes
/// the whole reply and closes.
///
/// All memory is allocated before the first connection.
@safe struct ConnectionClient<Format: ReplyFormat & ~Copyable>: LoadClient, ~Copyable {
    private let format: Format
    private let address: SocketAddress
    private let epoll: Epoll
    private let events: EpollEventBuffer
    let transport: Transport
    private let watched: EpollEvents
    private var slots: SlotTable
    /// False where the client waits for the close alone.
    private let exchanges: Bool
    private let resets: Bool
    private let opensFast: Bool
    private let isQueued: Bool
    private var pace: ConnectPace
    /// Slots that a full queue did not let in.
    private var line: WaitingLine
    /// Operations so far, which number the requests.
    private var started: UInt64 = 0
    /// The reply that each slot waits for.
    private let replies: UnsafeMutablePointer<Format.State>
    private let request: UnsafeMutableRawPointer
    private let buffer: UnsafeMutableRawPointer
    private let bufferBytes = 1 << 16
    static var startsSlowly: Bool { true }
    var result = ClientResult()

    /// Has room for `capacity` connections.
    ///
    /// - Parameter index: which of the plan's client threads it is.
    init(
        _ format: consuming Format, _ plan: LoadPlan, to address: SocketAddress, capacity: Int, client index: Int = 0
    ) throws(Errno) {
        self.address = address
        epoll = try Epoll()
        events = EpollEventBuffer(capacity: max(1, min(capacity, 256)))
        slots = SlotTable(capacity: capacity)
        transport = Transport(plan, capacity: capacity)
        exchanges = plan.workload == .crr
        let received: EpollEvents = [.readable, .peerClosed, .edgeTriggered]
        watched = exchanges ? received.union(.writable) : received
        // The server closes first, in order; a reset from here then leaves no TIME_WAIT there.
        resets = exchanges && plan.close == .reset
        opensFast = exchanges && plan.opensFast
        isQueued = plan.queued != nil
        pace = ConnectPace(plan, client: index)
        line = WaitingLine(capacity: address.family == AF_UNIX ? capacity : 0)
        unsafe request = .allocate(byteCount: max(format.longestRequest, 1), alignment: 64)
        unsafe buffer = .allocate(byteCount: bufferBytes, alignment: 64)
        unsafe replies = .allocate(capacity: max(capacity, 1))
        unsafe replies.initialize(repeating: format.reply(to: 0, stream: 0), count: max(capacity, 1))
        self.format = format
    }

    deinit {
        unsafe request.deallocate()
        unsafe buffer.deallocate()
        unsafe replies.deallocate()
    }

    /// Makes all connections of a drain, unless its start is given up meanwhile.
    mutating func queue(_ clientStart: ClientStart) throws(Errno) {
        for _ in 0..<slots.capacity {
            guard !clientStart.isGivenUp else { throw .canceled }
            _ = try start(at: 0)
        }
    }

    mutating func begin(_ window: RunWindow) {
        result.begin(window, isOpen: isQueued)
        pace.begin(at: max(window.loadStart, monotonicNanoseconds()))
        guard isQueued else { return }
        // Queued connections count as started now; those that failed before are missing.
        result.failedInWindow = result.failures.total
        for slot in 0..<slots.capacity { slots[slot].start = window.start }
    }

    var hasRoom: Bool { slots.hasFree && pace.allowsNow }
    var outstanding: UInt64 { UInt64(slots.used) }
    var openConnections: Int { slots.used }

    mutating func start(at time: UInt64) throws(Errno) -> Bool {
        // A scheduled time may be long past, which is no leave to make up for it at once.
        if pace.isLimited { _ = pace.take(max(time, monotonicNanoseconds())) }
        let slot = slots.take(startedAt: time, number: started)
        started += 1
        // Who waits is first.
        let attempt = line.isEmpty ? try connect(slot, time) : .refused
        if attempt == .refused { line.push(slot, at: monotonicNanoseconds()) }
        return attempt != .failed
    }

    /// What became of an attempt to connect.
    private enum Attempt {
        /// It is made, or under way.
        case begun
        /// It failed, which ended the operation.
        case failed
        /// A queue is full.
        case refused
    }

    /// Makes a slot's connection, and sends as much as it takes.
    private mutating func connect(_ slot: Int, _ now: UInt64) throws(Errno) -> Attempt {
        let socket = try StreamSocket(for: address, .nonblocking)
        if resets { try setSocketOption(.resetOnClose, on: socket.descriptor) }
        if opensFast { try setSocketOption(.fastOpenConnect, on: socket.descriptor) }
        let connection: Connection
        do throws(Errno) {
            connection = try socket.connect(to: address)
        } catch {
            if isQueueFull(error, address) { return .refused }
            slots.release(slot)
            result.fail(.init("connect", error.rawValue), startedAt: slots[slot].start)
            return .failed
        }
        try epoll.add(connection.descriptor, watched, token: UInt64(slot))
        slots.connect(slot, connection.release().release().rawValue)
        transport.open(slot, slots[slot].descriptor)
        if exchanges {
            unsafe replies[slot] = format.reply(to: slots[slot].number, stream: 0)
            advance(slot, awake: now)
        }
        return .begun
    }

    mutating func awaitAnswers(until deadline: UInt64) throws(Errno) {
        let turn = slots.hasFree ? pace.wait : .max
        let ready = try epoll.wait(into: events, untilNanoseconds: min(deadline, turn, line.nextTime))
        let now = monotonicNanoseconds()
        for index in 0..<ready { advance(Int(events[index].token), awake: now) }
        while let slot = line.first(dueAt: now) {
            guard try connect(slot, now) != .refused else { return line.postpone(at: monotonicNanoseconds()) }
            line.removeFirst()
        }
    }

    /// How an operation stands.
    private enum Progress {
        case underway
        case done
        case failed(FailureTally.Cause)
    }

    /// Does what is possible now, and ends an operation that is over.
    ///
    /// - Parameter awake: when the wait returned, which is when a close was seen; a reply is there when it is whole.
    private mutating func advance(_ slot: Int, awake: UInt64) {
        let progress = exchanges ? exchange(slot) : closeOf(slots[slot].descriptor)
        var failure: FailureTally.Cause?
        switch progress {
        case .underway: return
        case .done: break
        case .failed(let cause): failure = cause
        }
        let now = exchanges ? monotonicNanoseconds() : awake
        transport.close(slot)
        slots.release(slot)
        result.end(startedAt: slots[slot].start, at: now, failure, over: transport)
    }

    mutating func failStalledHandshakes() {
        for slot in 0..<slots.capacity where transport.isHandshakeStalled(slot) {
            transport.close(slot)
            slots.release(slot)
            result.fail(.stalledHandshake, startedAt: slots[slot].start)
        }
    }

    private func closeOf(_ descriptor: CInt) -> Progress {
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, 0)
        if count == 0 { return .done }
        if count > 0 { return .failed(.wrongBytes) }
        return switch errno {
        case ECONNRESET: .done
        case EAGAIN, EINTR: .underway
        default: .failed(.onConnection("recv", errno, isFirst: true))
        }
    }

    /// Sends the request, as far as the socket takes it, and takes what there is of the reply.
    private func exchange(_ slot: Int) -> Progress {
        let state = slots[slot]
        let length = format.length(ofRequest: state.number, stream: 0)
        let failure = state.sent < length ? send(slot, state, length) : nil
        if slots[slot].sent == 0 && failure == nil { return .underway }
        return receive(slot, state.descriptor, failure)
    }

    private func send(_ slot: Int, _ state: SlotTable.Slot, _ length: Int) -> FailureTally.Cause? {
        var state = state
        defer { slots[slot] = state }
        let memory = unsafe format.request(state.number, stream: 0, scratch: request)
        while state.sent < length {
            let sent = unsafe transport.send(slot, state.descriptor, memory + state.sent, length - state.sent)
            if sent < 0 {
                let error = CInt(-sent)
                return error == EAGAIN ? nil : transport.cause("send", error, isFirst: state.sent == 0)
            }
            state.sent += sent
        }
        return nil
    }

    /// Takes what there is of the reply.
    ///
    /// - Parameter sendFailure: why nothing more can be sent; a server that does not want all of a request can have
    ///   answered before it closed.
    private func receive(_ slot: Int, _ descriptor: CInt, _ sendFailure: FailureTally.Cause?) -> Progress {
        while true {
            let received = unsafe transport.receive(slot, descriptor, buffer, bufferBytes)
            if received < 0 {
                let error = CInt(-received)
                let cause = error == EAGAIN ? nil : transport.cause("recv", error, isFirst: false)
                if let cause, sendFailure.map(cause.explains) ?? true { return .failed(cause) }
                return sendFailure.map { .failed($0) } ?? .underway
            }
            let verdict: ReplyStep.Verdict
            if received == 0 {
                verdict = unsafe format.verdict(atClose: replies[slot])
                if verdict == .unfinished { return .failed(sendFailure ?? .earlyEnd) }
            } else {
                let step = unsafe format.take(buffer, received, &replies[slot])
                verdict = step.verdict
                if step.taken < received && (verdict == .answered || verdict == .failed) { return .failed(.surplus) }
            }
            switch verdict {
            case .unfinished: continue
            case .answered: return .done
            case .failed: return unsafe .failed(format.cause(replies[slot]))
            case .garbage: return .failed(Format.garbage)
            }
        }
    }
}
