import CSocketExtras
import Glibc
public import SystemPackage

/// Gives the calling thread a descriptor table of its own, as if it were a process of its own in this respect
/// (`unshare(2)`, `CLONE_FILES`). `RLIMIT_NOFILE` then counts for it alone.
///
/// Descriptors opened before are copied and stay open until both tables have closed them; with
/// `closingInherited` all above standard error are closed in the new table. Descriptors opened later by other threads
/// cannot be used by this one, nor the other way round. It cannot be undone; the table ends with the thread.
///
/// - Throws: `ENOMEM`, `EMFILE`.
public func unshareDescriptorTable(closingInherited: Bool = false) throws(Errno) {
    if closingInherited {
        // close_range(2) does both at once since Linux 5.9 and copies nothing.
        if c_close_range_unshare(3) == 0 { return }
    }
    _ = try systemCall { unshare(C_CLONE_FILES) }
    guard closingInherited else { return }
    let limit = try DescriptorLimit.current().soft
    for number in 3..<CInt(clamping: limit) { close(number) }
}
