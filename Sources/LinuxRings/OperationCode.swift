import CIOUring

/// What a request does: `IORING_OP_*` of `io_uring_enter(2)`. The names are those that this library queues; others have
/// their number.
public struct OperationCode: RawRepresentable, Sendable, Hashable {
    /// The number that the kernel knows it by.
    public let rawValue: UInt8

    /// The operation of a number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    private init(_ operation: io_uring_op) { rawValue = UInt8(truncatingIfNeeded: operation.rawValue) }

    /// `IORING_OP_ACCEPT`.
    public static var accept: Self { Self(IORING_OP_ACCEPT) }
    /// `IORING_OP_ASYNC_CANCEL`.
    public static var cancel: Self { Self(IORING_OP_ASYNC_CANCEL) }
    /// `IORING_OP_CLOSE`.
    public static var close: Self { Self(IORING_OP_CLOSE) }
    /// `IORING_OP_CONNECT`.
    public static var connect: Self { Self(IORING_OP_CONNECT) }
    /// `IORING_OP_EPOLL_WAIT` (Linux 6.15).
    public static var epollWait: Self { Self(rawValue: C_IORING_OP_EPOLL_WAIT) }
    /// `IORING_OP_LINK_TIMEOUT`.
    public static var linkTimeout: Self { Self(IORING_OP_LINK_TIMEOUT) }
    /// `IORING_OP_MSG_RING`.
    public static var messageRing: Self { Self(IORING_OP_MSG_RING) }
    /// `IORING_OP_NOP`.
    public static var none: Self { Self(IORING_OP_NOP) }
    /// `IORING_OP_POLL_ADD`.
    public static var poll: Self { Self(IORING_OP_POLL_ADD) }
    /// `IORING_OP_READ`.
    public static var read: Self { Self(IORING_OP_READ) }
    /// `IORING_OP_READ_FIXED`.
    public static var readFixed: Self { Self(IORING_OP_READ_FIXED) }
    /// `IORING_OP_RECV`.
    public static var receive: Self { Self(IORING_OP_RECV) }
    /// `IORING_OP_RECVMSG`.
    public static var receiveMessage: Self { Self(IORING_OP_RECVMSG) }
    /// `IORING_OP_SEND`.
    public static var send: Self { Self(IORING_OP_SEND) }
    /// `IORING_OP_SENDMSG`.
    public static var sendMessage: Self { Self(IORING_OP_SENDMSG) }
    /// `IORING_OP_SENDMSG_ZC`.
    public static var sendMessageZeroCopy: Self { Self(IORING_OP_SENDMSG_ZC) }
    /// `IORING_OP_SEND_ZC`.
    public static var sendZeroCopy: Self { Self(IORING_OP_SEND_ZC) }
    /// `IORING_OP_SHUTDOWN`.
    public static var shutdown: Self { Self(IORING_OP_SHUTDOWN) }
    /// `IORING_OP_TIMEOUT`.
    public static var timeout: Self { Self(IORING_OP_TIMEOUT) }
    /// `IORING_OP_WRITE_FIXED`.
    public static var writeFixed: Self { Self(IORING_OP_WRITE_FIXED) }
}

/// What is registered with a ring: the opcodes of `io_uring_register(2)`. The names are those that this library uses;
/// others have their number.
public struct RegistrationCode: RawRepresentable, Sendable, Hashable {
    /// The number that the kernel knows it by.
    public let rawValue: UInt8

    /// The registration of a number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `IORING_REGISTER_BUFFERS` (``Ring/registerBuffers(_:)``).
    public static var buffers: Self { Self(rawValue: 0) }
    /// `IORING_REGISTER_BUFFERS2` (``Ring/registerBufferSlots(count:)``).
    public static var bufferSlots: Self { Self(rawValue: 15) }
    /// `IORING_REGISTER_BUFFERS_UPDATE` (``Ring/registerBuffer(_:of:slot:token:)``).
    public static var buffersUpdate: Self { Self(rawValue: 16) }
    /// `IORING_REGISTER_PBUF_RING` (``Ring/register(_:)-(BufferGroup)``).
    public static var bufferGroup: Self { Self(rawValue: 22) }
    /// `IORING_REGISTER_SYNC_CANCEL`.
    public static var cancelAtOnce: Self { Self(rawValue: 24) }
    /// `IORING_REGISTER_EVENTFD` (``Ring/registerEventFD(_:)``).
    public static var eventFD: Self { Self(rawValue: 4) }
    /// `IORING_REGISTER_FILE_ALLOC_RANGE` (``Ring/setAutomaticSlots(_:)``).
    public static var fileRange: Self { Self(rawValue: 25) }
    /// `IORING_REGISTER_FILES2` (``Ring/registerFileSlots(count:)``).
    public static var fileSlots: Self { Self(rawValue: 13) }
    /// `IORING_REGISTER_FILES_UPDATE` (``Ring/registerFile(_:slot:)``).
    public static var filesUpdate: Self { Self(rawValue: 6) }
    /// `IORING_REGISTER_PROBE` (``RingCapabilities``).
    public static var probe: Self { Self(rawValue: 8) }
    /// `IORING_REGISTER_RING_FDS` (``Ring/registerDescriptor()``).
    public static var ringDescriptor: Self { Self(rawValue: 20) }
    /// `IORING_UNREGISTER_PBUF_RING` (``Ring/unregisterGroup(_:)``).
    public static var unregisterBufferGroup: Self { Self(rawValue: 23) }
}
