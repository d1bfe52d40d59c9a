import CEpoll
import Glibc

/// What the calling thread blocks (`pthread_sigmask(3)`).
///
/// A blocked signal waits until it is unblocked, read by a ``SignalDescriptor``, or let through by the mask of a wait. New
/// threads inherit what the thread that makes them blocks.
extension SignalSet {
    /// What the calling thread blocks.
    public static var blocked: SignalSet { change(SIG_BLOCK, nil) }

    /// What waits for the calling thread, or for any thread of the process, because it is blocked (`sigpending(2)`).
    public static var pending: SignalSet {
        var native = sigset_t()
        unsafe sigpending(&native)
        return SignalSet(native)
    }

    /// Blocks these signals on the calling thread too (`SIG_BLOCK`).
    ///
    /// - Returns: what was blocked before, for ``becomeBlocked()``.
    @discardableResult public func block() -> SignalSet { Self.change(SIG_BLOCK, self) }

    /// Unblocks these signals on the calling thread (`SIG_UNBLOCK`). Those that wait are delivered before this returns, one
    /// at least.
    ///
    /// - Returns: what was blocked before.
    @discardableResult public func unblock() -> SignalSet { Self.change(SIG_UNBLOCK, self) }

    /// Blocks these signals on the calling thread and no others (`SIG_SETMASK`): what restores an earlier state.
    ///
    /// - Returns: what was blocked before.
    @discardableResult public func becomeBlocked() -> SignalSet { Self.change(SIG_SETMASK, self) }

    /// Runs a closure with these signals blocked on the calling thread too, and restores the state of before.
    public func whileBlocked<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = block()
        defer { before.becomeBlocked() }
        return try body()
    }

    /// It cannot fail: the C library checks the first argument only, and leaves its own signals alone.
    private static func change(_ how: CInt, _ new: SignalSet?) -> SignalSet {
        var old = sigset_t()
        if var new = new?.native {
            unsafe pthread_sigmask(how, &new, &old)
        } else {
            unsafe pthread_sigmask(how, nil, &old)
        }
        return SignalSet(old)
    }

    private init(_ native: sigset_t) {
        self.init(bits: unsafe withUnsafeBytes(of: native) { unsafe $0.loadUnaligned(as: UInt64.self) })
    }

    /// The C library's set is the kernel's with room for more.
    private var native: sigset_t {
        var native = sigset_t()
        unsafe sigemptyset(&native)
        unsafe withUnsafeMutableBytes(of: &native) { unsafe $0.storeBytes(of: bits, as: UInt64.self) }
        return native
    }
}
