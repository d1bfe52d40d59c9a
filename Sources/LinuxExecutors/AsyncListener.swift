public import LinuxDescriptors
public import LinuxSockets
public import SystemPackage

/// A listening stream socket whose accepts suspend the task instead of the thread.
///
/// ```swift
/// func serve(_ listener: borrowing AsyncListener, on executor: some EventExecutor) async {
///     await withDiscardingTaskGroup { group in
///         while true {
///             do throws(Errno) {
///                 let connection = try await listener.accept()
///                 group.addTask { try? await echo(connection) }
///             } catch {
///                 if error.isOfOneConnection { continue }
///                 guard error.isShortage else { return }
///                 try? await executor.sleep(for: .milliseconds(100))
///             }
///         }
///     }
/// }
/// ```
///
/// Several tasks may accept at once, and several executors of one kind from duplicates of one listener.
public struct AsyncListener: ~Copyable, Sendable {
    private let listener: Listener
    private let executor: any EventExecutor
    private let drainsWhenShort: Bool
    private let watch: Watch

    /// Takes over a listener, and has it wait the way the executor needs: blocking for a ``RingExecutor``, which waits in
    /// the kernel, and nonblocking for a ``SetExecutor``. Duplicates of the descriptor share that.
    ///
    /// - Throws: `EBADF`, `ENOTSOCK`; the listener is closed then.
    public init(_ listener: consuming Listener, on executor: some EventExecutor) throws(Errno) {
        let isInternet = try listener.address.port != nil
        try listener.descriptor.setNonblocking(!executor.core.waitsByItself)
        drainsWhenShort = isInternet
        self.listener = listener
        self.executor = executor
        watch = .next(drainsWhenShort: false)
    }

    /// The descriptor, borrowed.
    public var descriptor: BorrowedDescriptor { listener.descriptor }

    /// Where it listens; with the port that the kernel chose if 0 was asked for (`getsockname(2)`).
    public var address: SocketAddress {
        get throws(Errno) { try listener.address }
    }

    /// Takes the next connection, and waits for it (`accept4(2)`). It belongs to the listener's executor.
    ///
    /// A connection that was taken before the task was cancelled is returned, so none is lost.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM` (`Errno.isShortage`): the connection stays in the queue, and the
    ///   next accept fails at once as well, so sleep for a moment; `ECONNABORTED` and the like of one connection
    ///   (`Errno.isOfOneConnection`), after which the next can be taken; `ECANCELED` when the task was cancelled, or the
    ///   executor shut down; `ESTALE` in a child of a fork.
    public func accept(
        isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) -> AsyncConnection {
        let result = await executor.core.loop.carryOut(
            Request(.accept, listener.descriptor, watch), on: executor, isolation: isolation)
        if result < 0 { throw Errno(rawValue: -result) }
        let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: result))
        return AsyncConnection(
            accepted: Connection(owning: owned), on: executor, drainsWhenShort: drainsWhenShort)
    }

    /// Closes the socket. Connections that nobody accepted are reset.
    public consuming func close() throws(Errno) { try listener.close() }

    /// Gives the listener away, blocking or not as the executor needed it.
    public consuming func release() -> Listener { listener }
}
