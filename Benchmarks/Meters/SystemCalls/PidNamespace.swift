import Glibc

/// The pid namespace of this process, in which `gettid(2)` numbers threads.
struct PidNamespace {
    let device: UInt64
    let inode: UInt64

    /// The first namespace's (`PROC_PID_INIT_INO`), where numbers are those that BPF programs see.
    private static let firstInode: UInt64 = 0xefff_fffc

    /// nil in the first namespace, and where there is no `/proc` to tell.
    static func nested() -> PidNamespace? {
        var status = stat()
        guard unsafe stat("/proc/self/ns/pid", &status) == 0, status.st_ino != firstInode else { return nil }
        return PidNamespace(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}
