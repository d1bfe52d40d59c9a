import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets

/// The system's parameter of TCP Fast Open.
public let fastOpenParameter = "/proc/sys/net/ipv4/tcp_fastopen"

/// Enters a network namespace of this thread's own, and of the threads that it starts, whose loopback works.
///
/// - Parameter fastOpen: the parameter ``fastOpenParameter`` in it.
/// - Returns: false where that, or setting the parameter, is not allowed.
public func enterNetworkNamespace(fastOpen: FastOpenSupport) throws -> Bool {
    guard unshare(C_CLONE_NEWNET) == 0 else { return false }
    let socket = try StreamSocket(for: .loopback(), .blocking)
    guard c_set_loopback_up(socket.descriptor.rawValue) == 0, let file = fopen(fastOpenParameter, "w") else {
        return false
    }
    fputs("\(fastOpen.rawValue)\n", file)
    return fclose(file) == 0
}
