public import CEventFD
public import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A counter in the kernel that one thread adds to and another waits for: `eventfd(2)`.
///
/// Reading takes the whole count and leaves 0; with ``Options/semaphore`` it takes one. All operations may be called
/// by several threads at once.
@frozen public struct EventFD: ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// The `flags` of `eventfd(2)`. Close-on-exec is always set.
    @frozen public struct Options: OptionSet, Sendable {
        /// The flags as the kernel has them.
        public let rawValue: CInt

        /// Takes the flags as the kernel has them.
        @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

        /// `EFD_NONBLOCK`: reading 0 and writing past the maximum fail instead of waiting.
        @inlinable public static var nonblocking: Self { Self(rawValue: CInt(EFD_NONBLOCK)) }
        /// `EFD_SEMAPHORE`: a read takes one from the count.
        @inlinable public static var semaphore: Self { Self(rawValue: CInt(EFD_SEMAPHORE)) }
    }

    /// The largest count: an addition beyond it waits, or fails when nonblocking.
    @inlinable public static var maximum: UInt64 { .max - 1 }

    /// Creates a counter.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
    public init(count: UInt32 = 0, _ options: Options = [.nonblocking]) throws(Errno) {
        let number = try systemCall { eventfd(count, options.rawValue | CInt(EFD_CLOEXEC)) }
        owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Takes over a descriptor that `eventfd(2)` made elsewhere.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// The descriptor, borrowed.
    @inlinable public var descriptor: FileDescriptor { owned.descriptor }

    /// Gives the descriptor away.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// Adds to the count and wakes who waits for it.
    ///
    /// - Returns: false when nonblocking and the sum would pass ``maximum`` (`EAGAIN`); nothing was added then.
    /// - Throws: `EINVAL` for `UInt64.max`.
    @inlinable @discardableResult public func add(_ amount: UInt64 = 1) throws(Errno) -> Bool {
        let number = owned.descriptor.rawValue
        var amount = amount
        return try nonblockingSystemCall { unsafe write(number, &amount, 8) } != nil
    }

    /// Takes the count, or one from it with ``Options/semaphore``; waits for one unless nonblocking.
    ///
    /// - Returns: what was taken; nil when nonblocking and the count is 0 (`EAGAIN`).
    @inlinable public func take() throws(Errno) -> UInt64? {
        let number = owned.descriptor.rawValue
        var amount: UInt64 = 0
        return try nonblockingSystemCall { unsafe read(number, &amount, 8) } == nil ? nil : amount
    }

    /// Closes the counter and reports what `close(2)` said.
    public consuming func close() throws(Errno) {
        try owned.close()
    }
}
