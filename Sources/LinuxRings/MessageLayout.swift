public import CIOUring
import Glibc
import Synchronization
public import SystemPackage

/// How the buffers of a group are divided for messages: 16 bytes of a header, room for an address, room for control data,
/// and the bytes of the message in what is left (`io_uring_prep_recvmsg_multishot(3)`).
///
/// It owns nothing and can be kept or thrown away: what the kernel reads of it lives as long as the process, one small
/// header for each pair of sizes.
@safe @frozen public struct MessageLayout: Sendable, Hashable {
    /// Room for an address in each buffer, in bytes.
    public let addressCapacity: Int
    /// Room for control data in each buffer, in bytes.
    public let controlCapacity: Int
    // Sendable although it is a pointer: what it points to does not change.
    @usableFromInline nonisolated(unsafe) let header: UnsafeMutablePointer<msghdr>

    /// Describes buffers.
    ///
    /// - Parameters:
    ///   - addressCapacity: room for an address: 16 bytes hold one of IPv4, 28 one of IPv6, and 128 any.
    ///   - controlCapacity: room for control data: for each part its own size rounded up to 8, and 16.
    /// - Precondition: the address has 0 to 128, and control data 0 to 65 536 bytes.
    public init(addressCapacity: Int = 28, controlCapacity: Int = 0) {
        precondition((0...128).contains(addressCapacity), "an address has 0 to 128 bytes")
        precondition((0...1 << 16).contains(controlCapacity), "control data has 0 to 65536 bytes")
        self.addressCapacity = addressCapacity
        self.controlCapacity = controlCapacity
        unsafe header = Self.header(addressCapacity, controlCapacity)
    }

    /// The sizes alone say which layout it is.
    @inlinable public static func == (one: Self, other: Self) -> Bool {
        one.addressCapacity == other.addressCapacity && one.controlCapacity == other.controlCapacity
    }

    /// Feeds the sizes to a hasher.
    @inlinable public func hash(into hasher: inout Hasher) {
        hasher.combine(addressCapacity)
        hasher.combine(controlCapacity)
    }

    /// What a buffer must have beside the message itself, in bytes. Where a buffer is smaller, the request ends with
    /// `EFAULT`.
    @inlinable public var overhead: Int { Self.headerBytes + addressCapacity + controlCapacity }

    /// `struct io_uring_recvmsg_out`.
    @inlinable static var headerBytes: Int { 16 }

    private static let headers = Mutex<[Int: UInt]>([:])

    /// The header for a pair of sizes, which lives for ever.
    private static func header(_ address: Int, _ control: Int) -> UnsafeMutablePointer<msghdr> {
        let number = headers.withLock { headers in
            let key = address << 32 | control
            if let known = headers[key] { return known }
            let header = UnsafeMutablePointer<msghdr>.allocate(capacity: 1)
            unsafe header.initialize(to: msghdr())
            unsafe header.pointee.msg_namelen = .init(address)
            unsafe header.pointee.msg_controllen = .init(control)
            let number = UInt(bitPattern: header)
            headers[key] = number
            return number
        }
        // swift-format-ignore: NeverForceUnwrap
        return unsafe UnsafeMutablePointer(bitPattern: number).unsafelyUnwrapped
    }
}

extension Ring {
    /// Queues a receive that completes for every message, each in a buffer of the group, until it ends
    /// (`io_uring_prep_recvmsg_multishot(3)`, Linux 6.0).
    ///
    /// It ends with `ENOBUFS` when no buffer is free: arm it again after one was given back, not before. An empty datagram
    /// ends it, too, as the end of a stream does: it is delivered, and the completion is not armed any more.
    ///
    /// ```swift
    /// let layout = MessageLayout(addressCapacity: 28)
    /// var group = BufferGroup(identifier: 1, count: 256, bytes: layout.overhead + 1500)
    /// try ring.register(group)
    /// try ring.prepareMultishotReceiveMessage(.descriptor(socket), from: 1, layout, token: 7)
    /// try ring.submitAndWait()
    /// while let completion = ring.nextCompletion() {
    ///     if let buffer = completion.bufferIdentifier, completion.error == nil {
    ///         if let message = group.message(in: buffer, count: Int(completion.result), layout) {
    ///             answer(message.payload, to: message.address)
    ///         }
    ///         group.recycle(buffer)
    ///     }
    ///     if !completion.isArmed {
    ///         try ring.prepareMultishotReceiveMessage(.descriptor(socket), from: 1, layout, token: 7)
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - group: the group's number in this ring.
    ///   - layout: how its buffers are divided.
    ///   - receiveFlags: how it is received; with ``ReceiveFlags/waitAll`` it fails with `EINVAL`.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completions carry.
    /// - Throws: what ``submit()`` throws when the queue was full.
    @inlinable public mutating func prepareMultishotReceiveMessage(
        _ file: RequestFile, from group: UInt16, _ layout: MessageLayout, receiveFlags: ReceiveFlags = [],
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        let messageFlags = UInt32(bitPattern: receiveFlags.message | closeOnExecMessage)
        unsafe io_uring_prep_recvmsg_multishot(entry, file.number, layout.header, messageFlags)
        unsafe entry.pointee.ioprio |= receiveFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags | C_IOSQE_BUFFER_SELECT
        unsafe entry.pointee.buf_group = group
        unsafe entry.pointee.user_data = token
    }
}
