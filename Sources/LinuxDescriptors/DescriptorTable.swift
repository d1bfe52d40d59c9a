import CSocketExtras
import Glibc
public import SystemPackage

/// Gives the calling thread a descriptor table of its own, as if it were a process of its own in this respect
/// (`close_range(2)`, `unshare(2)`). `RLIMIT_NOFILE` then counts for it alone.
///
/// Descriptors opened before are copied and stay open until both tables have closed them. Descriptors opened later by
/// other threads cannot be used by this one, nor the other way round. It cannot be undone; the table ends with the
/// thread.
///
/// - Parameters:
///   - closingInherited: whether all above standard error are closed in the new table.
///   - kept: one that stays open nevertheless.
/// - Throws: `ENOMEM`, `EMFILE`; `EPERM` where a container's profile forbids both calls.
public func unshareDescriptorTable(
    closingInherited: Bool = false, except kept: BorrowedDescriptor? = nil
) throws(Errno) {
    let kept = max(kept?.rawValue ?? 0, 2)
    let first = closingInherited ? kept + 1 : CInt.max
    // Since Linux 5.9 this copies no more than it leaves open, and profiles that forbid unshare(2) allow it.
    if c_close_from_unshare(UInt32(first)) != 0 {
        _ = try systemCall { unshare(C_CLONE_FILES) }
        let limit = CInt(clamping: try DescriptorLimit.current().soft)
        if first < limit { for number in first..<limit { close(number) } }
    }
    if closingInherited && kept > 3 { for number in 3..<kept { close(number) } }
}
