import CIOUring
import Glibc

/// Requests of which each starts when the one before it has succeeded (`IOSQE_IO_LINK`), handed over as a whole.
///
/// Send what is left, and then close:
///
/// ```swift
/// var chain = RequestChain()
/// chain.send(buffer, to: token)
/// chain.close(token)
/// try ring.prepare(chain)
/// ```
///
/// Receive, but for five seconds at most:
///
/// ```swift
/// var chain = RequestChain()
/// chain.receive(from: token, into: buffer)
/// chain.limit(.seconds(5))
/// try ring.prepare(chain)
/// ```
///
/// Each part has an event of its own. When one fails, those behind it have events with `ECANCELED`: buffers come back as
/// they were, and a descriptor that was to be closed is the token's as before. A send that is not the last part counts as
/// failed when it could not send all (`MSG_WAITALL`), and its event says how much it sent.
///
/// It owns the buffers of its parts until it is queued.
@safe public struct RequestChain: ~Copyable {
    /// How many parts there can be.
    public static var capacity: Int { 8 }

    @unsafe struct Part {
        var operation = RingOperation.cancel
        var content = RingContent.nothing
        var token = RingToken(index: .max, generation: 0, ring: 0)
        var buffer: UnsafeMutableRawPointer?
        var events: Ring.PollEvents = []
        var limit = __kernel_timespec()

        init() { unsafe buffer = nil }

        init(
            _ operation: RingOperation, _ token: RingToken, _ content: RingContent = .nothing,
            buffer: UnsafeMutableRawPointer? = nil
        ) {
            unsafe self.init()
            unsafe self.operation = operation
            unsafe self.content = content
            unsafe self.token = token
            unsafe self.buffer = unsafe buffer
        }
    }

    var parts = unsafe InlineArray<8, Part>(repeating: Part())
    /// How many parts there are.
    public private(set) var count = 0

    /// A chain without parts.
    public init() {}

    deinit {
        for index in 0..<count {
            let part = unsafe parts[index]
            guard let buffer = unsafe part.buffer else { continue }
            if unsafe part.content == .groupBuffer {
                _ = unsafe GroupBuffer(buffer.assumingMemoryBound(to: GroupBuffer.Entry.self))
            } else {
                _ = unsafe RequestBuffer(buffer.assumingMemoryBound(to: RequestBuffer.Header.self))
            }
        }
    }

    /// Adds a send of what a buffer holds.
    ///
    /// - Precondition: there are fewer than ``capacity`` parts, here and below.
    public mutating func send(_ buffer: consuming RequestBuffer, to token: RingToken) {
        unsafe append(Part(.send, token, .buffer, buffer: buffer.giveAway()))
    }

    /// Adds a send of what a buffer of a group holds.
    public mutating func send(_ buffer: consuming GroupBuffer, to token: RingToken) {
        unsafe append(Part(.send, token, .groupBuffer, buffer: buffer.giveAway()))
    }

    /// Adds a receive into a buffer, behind what it holds.
    public mutating func receive(from token: RingToken, into buffer: consuming RequestBuffer) {
        unsafe append(Part(.receive, token, .buffer, buffer: buffer.giveAway()))
    }

    /// Adds a poll.
    public mutating func poll(_ token: RingToken, _ events: Ring.PollEvents) {
        var part = unsafe Part(.poll, token)
        unsafe part.events = events
        unsafe append(part)
    }

    /// Adds the close of a descriptor, or of a slot. The token is not live from ``DescriptorRing/prepare(_:)`` on, and is
    /// live again when the close was cancelled.
    public mutating func close(_ token: RingToken) {
        unsafe append(Part(.close, token, .close))
    }

    /// Limits the time of the part before this, counted from when it starts (`io_uring_prep_link_timeout(3)`, Linux 5.5).
    ///
    /// When the time is over that part fails with `ECANCELED`, and the event of the limit has `ETIME`. When the part ended
    /// in time, the event of the limit has `ECANCELED`.
    ///
    /// - Precondition: there is a part before it, which is no limit and no close.
    public mutating func limit(_ duration: Duration) {
        precondition(count > 0, "a limit needs a part before it")
        let limited = unsafe parts[count - 1]
        precondition(unsafe limited.operation != .limit && limited.operation != .close, "nothing that takes time")
        var part = unsafe Part(.limit, limited.token, .limit)
        let time = kernelTime(duration)
        unsafe part.limit = __kernel_timespec(tv_sec: time.seconds, tv_nsec: time.nanoseconds)
        unsafe append(part)
    }

    private mutating func append(_ part: Part) {
        precondition(count < Self.capacity, "a chain has at most 8 parts")
        unsafe parts[count] = unsafe part
        count += 1
    }

    /// The parts, whose buffers are the caller's from here on.
    consuming func giveAway() -> (parts: InlineArray<8, Part>, count: Int) {
        let result = unsafe (parts, count)
        discard self
        return unsafe result
    }
}

/// Memory from which the kernel reads the times of limits when they are handed over: one for each place of the queue.
@safe struct LimitMemory: ~Copyable {
    private let times: UnsafeMutablePointer<__kernel_timespec>

    init(count: UInt32) { unsafe times = .allocate(capacity: Int(count)) }

    deinit { unsafe times.deallocate() }

    @unsafe func keep(_ time: __kernel_timespec, at index: UInt32) -> UnsafeMutablePointer<__kernel_timespec> {
        let place = unsafe times + Int(index)
        unsafe place.initialize(to: time)
        return unsafe place
    }
}
