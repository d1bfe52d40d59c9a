import CSocketExtras
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
@safe struct ConnectionClient: LoadClient, ~Copyable {
    private let address: SocketAddress
    private let epoll: Epoll
    private let events: EpollEventBuffer
    private let watched: EpollEvents
    private var slots: SlotTable
    /// What is sent and expected back; nil where the client waits for the close alone.
    private let message: MessagePattern?
    private let resets: Bool
    private let isQueued: Bool
    /// The request, and the bytes of a reply for each slot.
    private let request: UnsafeMutableRawPointer
    private let replies: UnsafeMutableRawPointer
    static let startsSlowly = true
    var result = ClientResult()

    /// Has room for `capacity` connections.
    init(_ plan: LoadPlan, to address: SocketAddress, capacity: Int) throws(Errno) {
        self.address = address
        epoll = try Epoll()
        events = EpollEventBuffer(capacity: min(capacity, 256))
        slots = SlotTable(capacity: capacity)
        let exchanges = plan.workload == .crr
        let received: EpollEvents = [.readable, .peerClosed, .edgeTriggered]
        watched = exchanges ? received.union(.writable) : received
        message = exchanges ? MessagePattern(bytes: plan.messageBytes) : nil
        // The server closes first, in order; a reset from here then leaves no TIME_WAIT there.
        resets = exchanges && plan.close == .reset
        isQueued = plan.queued != nil
        let bytes = message?.bytes ?? 0
        unsafe request = .allocate(byteCount: bytes, alignment: 64)
        unsafe replies = .allocate(byteCount: capacity * bytes, alignment: 64)
        if let message { unsafe message.write(0, to: request) }
    }

    deinit {
        unsafe request.deallocate()
        unsafe replies.deallocate()
    }

    /// Makes all connections of a drain.
    mutating func queue() throws(Errno) {
        for _ in 0..<slots.capacity { _ = try start(at: 0) }
    }

    mutating func begin(_ window: RunWindow) {
        result.begin(window, isOpen: isQueued)
        guard isQueued else { return }
        // Queued connections count as started now; those that failed before are missing.
        result.failedInWindow = result.failures.total
        for slot in 0..<slots.capacity { slots[slot].start = window.start }
    }

    var hasRoom: Bool { slots.hasFree }
    var outstanding: UInt64 { UInt64(slots.used) }

    mutating func start(at time: UInt64) throws(Errno) -> Bool {
        let socket = try StreamSocket(for: address, .nonblocking)
        if resets { try setSocketOption(.resetOnClose, on: socket.descriptor) }
        let connection: Connection
        do throws(Errno) {
            connection = try socket.connect(to: address)
        } catch {
            result.fail(.init("connect", error.rawValue), startedAt: time)
            return false
        }
        let slot = slots.next
        try epoll.add(connection.descriptor, watched, token: UInt64(slot))
        slots.take(connection.release().release().rawValue, startedAt: time)
        if message != nil { advance(slot, awake: time) }
        return true
    }

    mutating func awaitAnswers(until deadline: UInt64) throws(Errno) {
        let ready = try epoll.wait(into: events, untilNanoseconds: deadline)
        let now = monotonicNanoseconds()
        for index in 0..<ready { advance(Int(events[index].token), awake: now) }
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
        let progress = if let message { exchange(message, slot) } else { closeOf(slots[slot].descriptor) }
        var failure: FailureTally.Cause?
        switch progress {
        case .underway: return
        case .done: break
        case .failed(let cause): failure = cause
        }
        let now = message == nil ? awake : monotonicNanoseconds()
        slots.release(slot)
        result.end(startedAt: slots[slot].start, at: now, failure)
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

    private func exchange(_ message: MessagePattern, _ slot: Int) -> Progress {
        let bytes = message.bytes
        var state = slots[slot]
        defer { slots[slot] = state }
        while state.sent < bytes {
            let sent = unsafe send(state.descriptor, request + state.sent, bytes - state.sent, CInt(MSG_NOSIGNAL))
            if sent < 0 {
                return errno == EAGAIN ? .underway : .failed(.onConnection("send", errno, isFirst: state.sent == 0))
            }
            state.sent += sent
        }
        let reply = unsafe replies + slot * bytes
        while state.received < bytes {
            let received = unsafe recv(state.descriptor, reply + state.received, bytes - state.received, 0)
            if received < 0 { return errno == EAGAIN ? .underway : .failed(.init("recv", errno)) }
            if received == 0 { return .failed(.earlyEnd) }
            state.received += received
        }
        return unsafe message.matches(0, reply) ? .done : .failed(.wrongBytes)
    }
}
