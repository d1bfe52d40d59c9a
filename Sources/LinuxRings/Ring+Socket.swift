public import CIOUring
import Glibc
public import SystemPackage

extension Ring {
    /// What a socket is like: the `type` of `socket(2)`.
    @frozen public struct SocketType: Sendable, Hashable {
        /// The number as the kernel has it.
        public let rawValue: CInt

        /// Takes the number as the kernel has it, without `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
        public init(rawValue: CInt) {
            self.rawValue = rawValue & ~CInt(SOCK_CLOEXEC.rawValue) & ~CInt(SOCK_NONBLOCK.rawValue)
        }

        /// `SOCK_STREAM`: a connection of bytes.
        public static var stream: Self { Self(rawValue: CInt(SOCK_STREAM.rawValue)) }
        /// `SOCK_DGRAM`: messages, without a connection.
        public static var datagram: Self { Self(rawValue: CInt(SOCK_DGRAM.rawValue)) }
        /// `SOCK_SEQPACKET`: a connection of messages.
        public static var sequencedPacket: Self { Self(rawValue: CInt(SOCK_SEQPACKET.rawValue)) }
    }

    /// Queues the making of a socket (`io_uring_prep_socket(3)`, `socket(2)`, Linux 5.19).
    ///
    /// The result is a descriptor, which the caller then owns, or what ``FileDestination`` says; or `EAFNOSUPPORT`,
    /// `EMFILE` and whatever else `socket(2)` says.
    ///
    /// ```swift
    /// try ring.prepareSocket(family: address.family, .stream, token: 1)
    /// try ring.submitAndWait()
    /// let socket = try ring.nextCompletion()?.takeDescriptor()
    /// ```
    ///
    /// - Parameters:
    ///   - family: `AF_INET`, `AF_INET6`, `AF_UNIX`: `SocketAddress.family` of `LinuxSockets`.
    ///   - type: what it is like.
    ///   - protocolNumber: 0 for the usual one of the type.
    ///   - destination: where it goes.
    ///   - nonblocking: whether it is a nonblocking one (`SOCK_NONBLOCK`).
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for the two largest slots of all.
    @inlinable public mutating func prepareSocket(
        family: CInt, _ type: SocketType, protocolNumber: CInt = 0, into destination: FileDestination = .descriptor,
        nonblocking: Bool = false, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let index = try destination.index()
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_socket(
            entry, family, type.rawValue | destination.flags(nonblocking), protocolNumber, 0)
        unsafe entry.pointee.file_index = index
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Which direction of a connection a shutdown ends (`shutdown(2)`).
    @frozen public enum ShutdownDirection: CInt, Sendable, Hashable {
        /// `SHUT_RD`: receives find the end.
        case receiving = 0
        /// `SHUT_WR`: the peer finds the end after what was sent.
        case sending = 1
        /// `SHUT_RDWR`: both.
        case both = 2
    }

    /// Queues a shutdown (`io_uring_prep_shutdown(3)`, `shutdown(2)`, Linux 5.11), which a thread of the kernel's carries
    /// out. Receives, sends and accepts that are pending on the socket end by it.
    ///
    /// The result is 0, `ENOTCONN`, or whatever else `shutdown(2)` says. Linked behind the last send it ends the
    /// connection's sending side when all was sent:
    ///
    /// ```swift
    /// unsafe try ring.prepareSend(.slot(slot), from: reply, count: count, .link, token: 1)
    /// try ring.prepareShutdown(.slot(slot), .sending, token: 2)
    /// ```
    @inlinable public mutating func prepareShutdown(
        _ file: RequestFile, _ direction: ShutdownDirection, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_shutdown(entry, file.number, direction.rawValue)
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }
}
