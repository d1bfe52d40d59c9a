import CIOUring
import Glibc
public import SystemPackage

/// Where a request puts the file that it makes: an accepted connection, a new socket.
@frozen public enum FileDestination: Sendable, Hashable {
    /// A descriptor of the process, close-on-exec; it is the result, and the caller's
    /// (``Completion/takeDescriptor()``).
    case descriptor
    /// This slot of the ring's own table (``Ring/registerFileSlots(count:)``), in place of what is there, which is
    /// closed. The result is 0: the caller knows the slot.
    case slot(Slot)
    /// A free slot of the ring's own table, which is the result (``Completion/takeSlot()``, Linux 5.19); `ENFILE` when
    /// there is none.
    case anySlot

    /// What `sqe.file_index` has to be.
    ///
    /// - Throws: `EINVAL` for the two largest numbers of slots, which to the kernel would mean something else.
    @usableFromInline func index() throws(Errno) -> UInt32 {
        switch self {
        case .descriptor: return 0
        case .slot(let slot):
            if slot.index >= .max - 1 { throw .invalidArgument }
            return slot.index + 1
        case .anySlot: return .max
        }
    }

    /// `SOCK_CLOEXEC` and `SOCK_NONBLOCK`; the kernel refuses the first for a slot.
    @usableFromInline func flags(_ nonblocking: Bool) -> CInt {
        let closing = self == .descriptor ? CInt(SOCK_CLOEXEC.rawValue) : 0
        return closing | (nonblocking ? CInt(SOCK_NONBLOCK.rawValue) : 0)
    }
}
