import Glibc
public import SystemPackage

/// How many descriptors this process may have open: `RLIMIT_NOFILE` of `getrlimit(2)`.
public struct DescriptorLimit: Sendable, Equatable {
    /// The limit in force.
    public var soft: UInt
    /// How far ``raise()`` can lift it.
    public var hard: UInt

    /// Reads the limits of this process.
    public static func current() throws(Errno) -> DescriptorLimit {
        var limit = rlimit()
        _ = try systemCall { unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        return DescriptorLimit(soft: limit.rlim_cur, hard: limit.rlim_max)
    }

    /// Lifts the soft limit to the hard one, which needs no privilege, and returns what is then in force.
    public static func raise() throws(Errno) -> DescriptorLimit {
        let limit = try current()
        var raised = rlimit(rlim_cur: limit.hard, rlim_max: limit.hard)
        _ = try systemCall { unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) }
        return try current()
    }
}
