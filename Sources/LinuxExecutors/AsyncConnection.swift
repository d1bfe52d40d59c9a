import Glibc
public import LinuxDescriptors
public import LinuxSockets
public import SystemPackage

/// A connected stream socket whose operations suspend the task instead of the thread.
///
/// It belongs to an executor, and costs no change of thread in a task that runs there. From elsewhere it can be used as
/// well: each operation then goes to the executor's thread and comes back.
///
/// ```swift
/// func echo(_ connection: borrowing AsyncConnection) async throws {
///     var bytes = [UInt8](repeating: 0, count: 4096)
///     while true {
///         let count = try await connection.receive(into: &bytes)
///         if count == 0 { return }
///         try await connection.sendAll(bytes.span.bytes.extracting(0..<count))
///     }
/// }
/// ```
///
/// **Memory.** The kernel works on the caller's memory, without a copy. An operation returns when the kernel is done with
/// it, and not before, also when the task was cancelled; so memory that is borrowed for the call is enough.
///
/// **Cancellation.** Cancelling the task cancels the operation in the kernel and waits for it. What was done before the
/// cancellation came is not lost but returned: bytes that were received, the number of those that were sent. Only an
/// operation that did nothing throws `ECANCELED`. In a task that is cancelled already, every operation does.
///
/// **Ownership.** The value owns the descriptor and closes it as it ends. It cannot end while an operation is pending,
/// since that borrows it. A task's closure that captures it owns it. Several tasks may use one connection at once, one to
/// receive and another to send; of two that receive at once, each gets some of the bytes.
public struct AsyncConnection: ~Copyable, Sendable {
    private let connection: Connection
    private let executor: any EventExecutor
    private let loop: ExecutorLoop
    private let watch: Watch

    /// Takes over a connection, and has it wait the way the executor needs: a ``RingExecutor`` has its descriptor blocking,
    /// because a ring waits by itself and reports `EAGAIN` of one that is not.
    ///
    /// - Throws: `EBADF`, `ENOTSOCK`; the connection is closed then.
    public init(_ connection: consuming Connection, on executor: some EventExecutor) throws(Errno) {
        let isInternet = try connection.localAddress.port != nil
        if executor.core.waitsByItself { try connection.descriptor.setNonblocking(false) }
        self.init(accepted: connection, on: executor, drainsWhenShort: isInternet)
    }

    /// Takes over a connection that waits the way the executor needs.
    init(accepted connection: consuming Connection, on executor: any EventExecutor, drainsWhenShort: Bool) {
        self.connection = connection
        self.executor = executor
        loop = executor.core.loop
        watch = .next(drainsWhenShort: drainsWhenShort)
    }

    /// Connects (`connect(2)`).
    ///
    /// - Parameters:
    ///   - address: where to.
    ///   - executor: what the connection belongs to.
    ///   - isolation: where the caller runs.
    /// - Throws: `ECONNREFUSED`, `ETIMEDOUT`, `ENETUNREACH`, `EHOSTUNREACH`, `EADDRNOTAVAIL`, `EMFILE`; `EAGAIN` when a
    ///   unix listener's queue is full; `ECANCELED` when the task was cancelled, or the executor shut down; `ESTALE` in a
    ///   child of a fork.
    public static func connect(
        to address: SocketAddress, on executor: some EventExecutor,
        isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) -> AsyncConnection {
        let connection = try StreamSocket(for: address, .nonblocking).connect(to: address)
        let descriptor = connection.descriptor
        try await executor.waitUntilWritable(descriptor, isolation: isolation)
        if let error = try takeSocketError(of: descriptor) { throw error }
        return try AsyncConnection(connection, on: executor)
    }

    /// The descriptor, borrowed: for socket options and the like.
    public var descriptor: BorrowedDescriptor { connection.descriptor }

    /// Where this end is (`getsockname(2)`).
    public var localAddress: SocketAddress {
        get throws(Errno) { try connection.localAddress }
    }

    /// Where the peer is (`getpeername(2)`).
    ///
    /// - Throws: `ENOTCONN` after a reset.
    public var peerAddress: SocketAddress {
        get throws(Errno) { try connection.peerAddress }
    }

    /// Receives what has arrived, at most what fits, and waits for the first byte (`recv(2)`).
    ///
    /// - Returns: the number of bytes, 0 after the peer's last one.
    /// - Throws: `ECONNRESET`, `ETIMEDOUT`; `EINVAL` for `bytes` without room, whose 0 could not be told from the peer's
    ///   end; `ECANCELED` when the task was cancelled, or the executor shut down, before anything arrived; `ESTALE` in a
    ///   child of a fork.
    public func receive(
        into bytes: inout MutableRawSpan, isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) -> Int {
        guard !bytes.isEmpty else { throw .invalidArgument }
        // The memory stays the caller's, who cannot go on before the operation has ended.
        let memory = unsafe bytes.withUnsafeMutableBytes { unsafe $0 }
        let request = unsafe request(.receive, memory.baseAddress, memory.count)
        return try count(await loop.carryOut(request, on: executor, isolation: isolation))
    }

    /// The same into an array's elements, whose number stays.
    ///
    /// - Parameters:
    ///   - bytes: where they go.
    ///   - start: the first element that may be changed.
    ///   - isolation: where the caller runs.
    public func receive(
        into bytes: inout [UInt8], from start: Int = 0, isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) -> Int {
        guard start >= 0 && start < bytes.count else { throw .invalidArgument }
        var span = bytes.mutableSpan
        // The memory stays the caller's, who cannot go on before the operation has ended.
        let memory = unsafe span.withUnsafeMutableBytes { unsafe $0 }
        guard let base = memory.baseAddress else { throw .invalidArgument }
        let request = unsafe request(.receive, base + start, memory.count - start)
        return try count(await loop.carryOut(request, on: executor, isolation: isolation))
    }

    /// Sends as much as the socket's buffer takes, and waits for room for the first byte; without a `SIGPIPE` (`send(2)`).
    ///
    /// - Returns: the number of bytes taken, which may be fewer than given.
    /// - Throws: `EPIPE`, `ECONNRESET`; `ECANCELED` when the task was cancelled, or the executor shut down, before
    ///   anything was taken; `ESTALE` in a child of a fork.
    public func send(
        _ bytes: RawSpan, isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) -> Int {
        let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
        let start = unsafe UnsafeMutableRawPointer(mutating: memory.baseAddress)
        // Nothing to send has no memory.
        guard memory.count > 0 else { return 0 }
        let request = unsafe request(.send, start, memory.count)
        return try count(await loop.carryOut(request, on: executor, isolation: isolation))
    }

    /// Sends all bytes.
    ///
    /// - Throws: what ``send(_:isolation:)`` throws. How much was sent before that is not known.
    public func sendAll(
        _ bytes: RawSpan, isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) {
        let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
        guard let start = unsafe UnsafeMutableRawPointer(mutating: memory.baseAddress) else { return }
        var sent = 0
        while sent < memory.count {
            let request = unsafe request(.send, start + sent, memory.count - sent)
            sent += try count(await loop.carryOut(request, on: executor, isolation: isolation))
        }
    }

    /// Says that nothing more will be sent (`shutdown(2)`, `SHUT_WR`).
    public func finishSending() throws(Errno) { try connection.finishSending() }

    /// Closes the connection and reports what `close(2)` said.
    public consuming func close() throws(Errno) { try connection.close() }

    /// Gives the connection away. On a ``RingExecutor`` it is a blocking one, on a ``SetExecutor`` what it was.
    public consuming func release() -> Connection { connection }

    private func request(_ deed: Request.Deed, _ memory: UnsafeMutableRawPointer?, _ count: Int) -> Request {
        unsafe Request(deed, connection.descriptor, watch, memory, count: min(count, largestTransferBytes))
    }

    @inline(__always) private func count(_ result: Int32) throws(Errno) -> Int {
        if result < 0 { throw Errno(rawValue: -result) }
        return Int(result)
    }
}

/// The most bytes that one transfer moves: `MAX_RW_COUNT` of the kernel.
private let largestTransferBytes = 0x7fff_f000
