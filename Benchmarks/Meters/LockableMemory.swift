import Glibc

/// How much memory this process may keep from being swapped out (`RLIMIT_MEMLOCK`).
package enum LockableMemory {
    /// The limit, in bytes; nil without one, as for who has the privilege `CAP_IPC_LOCK`.
    package static func read() -> Int? {
        if isPrivileged { return nil }
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur > UInt(Int.max) ? nil : Int(limit.rlim_cur)
    }

    /// `CAP_IPC_LOCK` is the bit 14 of `CapEff` (`proc_pid_status(5)`, `capabilities(7)`).
    private static var isPrivileged: Bool {
        let line = readLines("/proc/self/status").first { $0.hasPrefix("CapEff:") }
        let digits = line?.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " } ?? ""
        return UInt64(digits, radix: 16).map { $0 & 1 << 14 != 0 } ?? false
    }
}
