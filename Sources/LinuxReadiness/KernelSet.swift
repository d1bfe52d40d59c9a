import CSocketExtras
import Glibc
public import LinuxDescriptors
import SystemPackage

/// The kernel's side of an ``InterestSet``: an epoll set, and a mark that tells it from whatever has its number later.
///
/// A number can be closed behind its owner's back, by `close_range(2)` in a child of `fork(2)` say, and be a stranger's
/// by the time it is to be closed. Epoll sets share one inode, so `fstat(2)` cannot tell one from another. The set
/// itself can: adding what it has already fails with `EEXIST`. The mark is a socket that never becomes ready, has an
/// inode of its own, and is registered here and nowhere else.
@frozen @usableFromInline struct KernelSet: ~Copyable {
    @usableFromInline let epoll: Epoll
    @usableFromInline let mark: OwnedDescriptor
    @usableFromInline let markIdentity: FileIdentity

    init() throws(Errno) {
        let epoll = try Epoll()
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let number = try systemCall { socket(AF_UNIX, kind, 0) }
        let mark = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        try epoll.add(mark.descriptor, [], token: 0)
        markIdentity = try FileIdentity(of: mark.descriptor)
        self.epoll = epoll
        self.mark = mark
    }

    /// True if both numbers are still those that this value opened. If not, it must be let go.
    var isIntact: Bool { (try? FileIdentity(of: mark.descriptor)) == markIdentity && has(mark.descriptor) }

    /// True if the number is registered, for the file that it names now.
    ///
    /// To be asked in the process that made the set: what is not registered is so for a moment.
    func has(_ descriptor: BorrowedDescriptor) -> Bool { epoll.isWatching(descriptor) }

    /// Lets go of numbers that are somebody else's by now, without closing them.
    consuming func letGo() {
        _ = epoll.release().release()
        _ = mark.release()
    }
}

extension Epoll {
    /// True if the number is registered, for the file that it names now; false if this is no epoll set.
    ///
    /// What is not registered is so for a moment.
    func isWatching(_ descriptor: BorrowedDescriptor) -> Bool {
        do {
            try add(descriptor, [], token: 0)
        } catch {
            return error == .fileExists
        }
        try? remove(descriptor)
        return false
    }
}
