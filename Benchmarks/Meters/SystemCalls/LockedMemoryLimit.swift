import Glibc
import Synchronization
import SystemPackage

/// How much memory this process may lock: below Linux 5.11 BPF maps and programs are part of it, and there is little by
/// default.
enum LockedMemoryLimit {
    private static var resource: __rlimit_resource_t { __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue) }
    /// One at a time: another would take the lifted limit for the one to go back to.
    private static let turn = Mutex(())

    /// What a system call returns; if it is refused with `EPERM`, which the limit's refusal is, it is made again with the limit
    /// lifted as far as this user may.
    static func liftedIfNeeded(_ call: () throws(Errno) -> CInt) throws(Errno) -> CInt {
        do throws(Errno) {
            return try call()
        } catch .notPermitted {
            return try lifted(call)
        } catch {
            throw error
        }
    }

    private static func lifted(_ call: () throws(Errno) -> CInt) throws(Errno) -> CInt {
        try turn.withLock { (_) throws(Errno) -> CInt in
            var found = rlimit()
            guard unsafe getrlimit(resource, &found) == 0 else { throw .notPermitted }
            var most = rlimit(rlim_cur: .max, rlim_max: .max)
            if unsafe setrlimit(resource, &most) != 0 {
                most = rlimit(rlim_cur: found.rlim_max, rlim_max: found.rlim_max)
                guard unsafe setrlimit(resource, &most) == 0 else { throw .notPermitted }
            }
            defer { _ = unsafe setrlimit(resource, &found) }
            return try call()
        }
    }
}
