import CIOUring
import Glibc
public import SystemPackage

/// Rings that start disabled (``RingSetup/startsDisabled``, Linux 5.10).
///
/// One is made, given its restrictions, its buffers and its files, and then enabled; what is queued before waits. With
/// ``RingSetup/singleIssuer`` the ring belongs to the thread that enables it, and not to the one that made it:
///
/// ```swift
/// var ring = try Ring(entries: 64, [.startsDisabled, .singleIssuer, .deferTaskRun, .submitAll])
/// try ring.restrict(to: RingRestrictions(operations: [.accept, .receive, .send, .close]))
/// // on the thread that is to use it:
/// try ring.enable()
/// ```
extension Ring {
    /// Lets the ring take submissions (`io_uring_enable_rings(3)`).
    ///
    /// - Throws: `EBADFD` of one that is enabled.
    public mutating func enable() throws(Errno) {
        let result = unsafe io_uring_register(UInt32(bitPattern: ring.ring_fd), Self.enableRings, nil, 0)
        if result < 0 { throw Errno(rawValue: -result) }
        isEnabled = true
    }

    /// Forbids all but what is listed, once and for ever, from ``enable()`` on (`io_uring_register_restrictions(3)`).
    ///
    /// A request that is forbidden completes with `EACCES`, and a registration that is forbidden throws it.
    ///
    /// - Throws: `EBADFD` of a ring that is enabled, `EACCES` if it has restrictions as well, `EBUSY` of one that has
    ///   restrictions, `EINVAL` before Linux 5.10 and for a number that the kernel does not know.
    public mutating func restrict(to restrictions: RingRestrictions) throws(Errno) {
        var result = unsafe restrict(restrictions.entries(with: RingRestrictions.neededToEnd))
        // An older kernel does not know all of these.
        if result == -EINVAL { result = unsafe restrict(restrictions.entries(with: [])) }
        if result < 0 { throw Errno(rawValue: -result) }
        self.restrictions = restrictions
    }

    @unsafe private mutating func restrict(_ entries: [io_uring_restriction]) -> CInt {
        var entries = entries
        let count = UInt32(entries.count)
        return unsafe entries.withUnsafeMutableBufferPointer {
            unsafe io_uring_register(UInt32(bitPattern: ring.ring_fd), Self.registerRestrictions, $0.baseAddress, count)
        }
    }

    // IORING_REGISTER_*, whose enumeration has no name in liburing 2.3. Its library lacks the two functions.
    private static var registerRestrictions: UInt32 { 11 }
    private static var enableRings: UInt32 { 12 }

    /// A close that the kernel refuses could not be told from one that the file's own close refuses in this way.
    @usableFromInline @inline(never) mutating func checkClose(_ flags: EntryFlags) throws(Errno) {
        guard let restrictions else { return }
        let isFollower = isInChain
        // The ring takes this flag from those before a close in its chain.
        let wouldBreakOthers = isFollower && restrictions.requiredFlags.contains(.skipSuccess)
        if wouldBreakOthers || !restrictions.allows(.close, flags.rawValue) { throw .permissionDenied }
    }
}
