public import CIOUring
public import Glibc
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// What a poll request waits for: the mask of `poll(2)`.
    @frozen public struct PollEvents: OptionSet, Sendable, Hashable {
        /// The mask as the kernel has it.
        public let rawValue: UInt32

        /// Takes the mask as the kernel has it.
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// `POLLIN`: a read, or an accept, would not wait.
        @inlinable public static var readable: Self { Self(rawValue: UInt32(POLLIN)) }
        /// `POLLOUT`: a write would not wait.
        @inlinable public static var writable: Self { Self(rawValue: UInt32(POLLOUT)) }
        /// `EPOLLEXCLUSIVE`: of several polls on one file, wake at least one instead of all.
        @inlinable public static var exclusive: Self { Self(rawValue: 1 << 28) }
    }

    /// Queues one poll (`io_uring_prep_poll_add(3)`). The result is the mask of what is ready.
    @inlinable public mutating func preparePoll(
        _ descriptor: BorrowedDescriptor, _ events: PollEvents, token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_poll_add(entry, descriptor.rawValue, events.rawValue)
        unsafe entry.pointee.user_data = token
    }

    /// Queues a poll that completes each time something becomes ready until it ends
    /// (`io_uring_prep_poll_multishot(3)`, Linux 5.13). It reports changes, as edge-triggered epoll does.
    @inlinable public mutating func prepareMultishotPoll(
        _ descriptor: BorrowedDescriptor, _ events: PollEvents, token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_poll_multishot(entry, descriptor.rawValue, events.rawValue)
        unsafe entry.pointee.user_data = token
    }
}
