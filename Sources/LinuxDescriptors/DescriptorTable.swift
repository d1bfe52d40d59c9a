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
/// - Throws: `EBADF` if `kept` is not open; `ENOMEM`, `EMFILE`; `EPERM` where a container's profile forbids both calls.
public func unshareDescriptorTable(
    closingInherited: Bool = false, except kept: BorrowedDescriptor? = nil
) throws(Errno) {
    if let number = kept?.rawValue { _ = try systemCall { fcntl(number, F_GETFD) } }
    let kept = UInt32(max(kept?.rawValue ?? 0, 2))
    let first = closingInherited ? kept + 1 : UInt32(CInt.max)
    // Since Linux 5.9 this copies no more than it leaves open, and profiles that forbid unshare(2) allow it.
    if c_close_range(first, .max, C_CLOSE_RANGE_UNSHARE) != 0 {
        _ = try systemCall { unshare(C_CLONE_FILES) }
        if closingInherited { try closeOneByOne(from: first, through: UInt32(CInt.max)) }
    }
    if closingInherited && kept > 3 && c_close_range(3, kept - 1, 0) != 0 {
        try closeOneByOne(from: 3, through: kept - 1)
    }
}

/// Closes what is open in a range of numbers. The limit is no help: it can be a thousand million, and was perhaps
/// higher when a descriptor was opened.
private func closeOneByOne(from first: UInt32, through last: UInt32) throws(Errno) {
    guard let folder = unsafe opendir("/proc/thread-self/fd") else { throw Errno(rawValue: errno) }
    let own = unsafe dirfd(folder)
    var numbers: [CInt] = []
    while let entry = unsafe readdir(folder) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
            unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if let number = CInt(name), number != own { numbers.append(number) }
    }
    unsafe closedir(folder)
    for number in numbers where UInt32(number) >= first && UInt32(number) <= last { _ = closeDescriptor(number) }
}
