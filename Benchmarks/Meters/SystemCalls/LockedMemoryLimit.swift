import Glibc

/// How much memory this process may lock: below Linux 5.11 BPF maps are part of it, and there is little by default.
struct LockedMemoryLimit {
    private var limit = rlimit()

    private static var resource: __rlimit_resource_t { __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue) }

    /// Lifts it as far as this user may.
    static func lift() -> LockedMemoryLimit {
        var found = LockedMemoryLimit()
        guard unsafe getrlimit(resource, &found.limit) == 0 else { return found }
        var lifted = rlimit(rlim_cur: .max, rlim_max: .max)
        if unsafe setrlimit(resource, &lifted) != 0 {
            lifted = rlimit(rlim_cur: found.limit.rlim_max, rlim_max: found.limit.rlim_max)
            _ = unsafe setrlimit(resource, &lifted)
        }
        return found
    }

    /// Sets it to what it was.
    func restore() {
        var limit = limit
        if limit.rlim_max > 0 { _ = unsafe setrlimit(Self.resource, &limit) }
    }
}
