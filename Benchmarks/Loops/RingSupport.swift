package import LinuxRings
import SystemPackage

/// Whether io_uring can be used here.
package enum RingSupport: Sendable {
    /// It can, and this is what it does.
    case available(RingCapabilities)
    /// It cannot, for this reason.
    case unavailable(String)

    /// The reason why it cannot be used; nil if it can.
    package var refusal: String? {
        if case .unavailable(let reason) = self { reason } else { nil }
    }

    /// Asks the kernel.
    package static func probe() -> RingSupport {
        do {
            return .available(try RingCapabilities.probe())
        } catch .noFunction {
            return .unavailable("io_uring is absent: ENOSYS, the kernel was built without it or a filter hides it")
        } catch .notPermitted, .permissionDenied {
            return .unavailable(
                "io_uring is forbidden: EPERM, see sysctl kernel.io_uring_disabled and the container's seccomp filter")
        } catch .noMemory {
            return .unavailable(
                "io_uring_setup: ENOMEM, there is too little memory, or too little that may be locked: see ulimit -l")
        } catch {
            return .unavailable("io_uring_setup: \(error)")
        }
    }
}
