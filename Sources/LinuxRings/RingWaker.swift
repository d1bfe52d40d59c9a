import CEventFD
import CIOUring
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Wakes a ``DescriptorRing`` from any thread, with or without a ring of its own, on every kernel (`eventfd(2)`).
///
/// A wake arrives as an event (``RingOperation/wake``) whose result says how many there were since the last: none is lost,
/// and many become one event. Where there are rings on both sides, a message (``RingAddress``) carries a value, too.
///
/// ```swift
/// let waker = try ring.makeWaker()
/// // on another thread, after work was put where the ring's thread finds it
/// try waker.wake()
/// // on the ring's thread
/// case .wake: takeWork()
/// ```
///
/// It may outlive the ring, and wakes nobody then.
@safe public struct RingWaker: ~Copyable, Sendable {
    private let counter: OwnedDescriptor

    init(_ counter: consuming OwnedDescriptor) { self.counter = counter }

    /// Wakes the ring's thread, now or when it waits next (`write(2)`).
    ///
    /// - Throws: nothing that a program can put right: `EBADF` would mean that the descriptor was closed behind its back.
    public func wake() throws(Errno) {
        let number = counter.descriptor.rawValue
        var amount: UInt64 = 1
        _ = try systemCall { unsafe write(number, &amount, 8) }
    }

    /// A second waker of the same ring.
    ///
    /// - Throws: `EMFILE`.
    public func duplicate() throws(Errno) -> RingWaker { RingWaker(try counter.duplicate()) }
}

/// The counter of a ring's wakers.
@safe struct WakerState {
    var token: RingToken?
    /// Where the count goes, while no read is pending.
    var idleBuffer: UnsafeMutablePointer<RequestBuffer.Header>?

    init() { unsafe idleBuffer = nil }

    func free() {
        if let buffer = unsafe idleBuffer { _ = unsafe RequestBuffer(buffer) }
    }
}

extension DescriptorRing {
    /// What wakes this ring from other threads. The first call begins to read a counter, with one request for each event.
    ///
    /// - Throws: `ESTALE` in a child; `EMFILE`, `ENFILE`, `ENOMEM`; what ``Ring/submit()`` throws when the queue was full.
    public mutating func makeWaker() throws(Errno) -> RingWaker {
        try ensureUsable()
        if waker.token == nil {
            let counter = OwnedDescriptor(
                owning: FileDescriptor(rawValue: try systemCall { eventfd(0, CInt(EFD_CLOEXEC)) }))
            let identity = try FileIdentity(of: counter.descriptor)
            waker.token = slots.insert(counter.release().rawValue, identity, .hidden)
            unsafe waker.idleBuffer = RequestBuffer(capacity: 8).giveAway()
            attention |= Self.wakerIsIdle
        }
        try armWaker()
        guard let token = waker.token, let counter = slots.descriptor(of: token) else { throw .badFileDescriptor }
        return RingWaker(try counter.duplicate())
    }

    /// Reads the counter, unless that is pending.
    mutating func armWaker() throws(Errno) {
        guard let buffer = unsafe waker.idleBuffer, let token = waker.token, let member = unsafe slots.find(token)
        else {
            return attention &= ~Self.wakerIsIdle
        }
        let identifier = requests.nextIdentifier()
        let memory = unsafe UnsafeMutableRawPointer(buffer) + RequestBuffer.headerBytes
        unsafe try ring.prepareRead(
            BorrowedDescriptor(rawValue: member.pointee.number),
            into: UnsafeMutableRawBufferPointer(start: memory, count: 8), token: identifier)
        unsafe requests.begin(.wake, on: token.index, &member.pointee.firstRequest, .wake, buffer: buffer)
        unsafe waker.idleBuffer = nil
        attention &= ~Self.wakerIsIdle
    }

    /// Takes the count, and reads on. When the kernel ended the read for reasons of its own there were no wakes; when the
    /// counter cannot be read at all, that is the last event.
    @unsafe mutating func resolveWake(
        _ result: Int32, _ buffer: UnsafeMutableRawPointer?
    ) -> RingEventParts {
        guard let buffer = unsafe buffer else { preconditionFailure("a read of the counter without its memory") }
        unsafe waker.idleBuffer = unsafe buffer.assumingMemoryBound(to: RequestBuffer.Header.self)
        let isPassing = result == -ECANCELED || result == -EINTR || result == -EAGAIN
        guard result >= 0 || isPassing else {
            return unsafe RingEventParts(token: ownToken, operation: .wake, isArmed: false, .nothing, result: result)
        }
        let count = unsafe (buffer + RequestBuffer.headerBytes).load(as: UInt64.self)
        // Where the queue takes nothing now, the next wait tries it again.
        attention |= Self.wakerIsIdle
        try? armWaker()
        return unsafe RingEventParts(
            token: ownToken, operation: .wake, isArmed: true, .nothing,
            result: result == 8 ? Int32(clamping: count) : 0)
    }
}
