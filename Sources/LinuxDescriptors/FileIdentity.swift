import Glibc
public import SystemPackage

/// Which file a descriptor names, as far as `fstat(2)` tells: its device and inode.
///
/// Sockets, pipes and files each have an inode of their own. Eventfds, timers, epoll sets and other anonymous files
/// share one, so that equal identities prove nothing of them: ``isShared`` says so.
@frozen public struct FileIdentity: Sendable, Hashable {
    private let inode: UInt64
    /// 12 bits of major and 20 of minor number, which is all that the kernel has.
    private let device: UInt32
    /// True of a file that shares its inode with others of its kind.
    public let isShared: Bool

    /// Asks the kernel (`fstat(2)`).
    ///
    /// - Throws: `EBADF` for a number that is not open.
    public init(of descriptor: BorrowedDescriptor) throws(Errno) {
        var status = stat()
        let number = descriptor.rawValue
        _ = try systemCall { unsafe fstat(number, &status) }
        inode = UInt64(status.st_ino)
        device = UInt32(truncatingIfNeeded: status.st_dev)
        // An anonymous inode has permissions and no type.
        isShared = status.st_mode & S_IFMT == 0
    }
}
