import Glibc
import LinuxDescriptors

/// Who is at the other end of a unix connection (`SO_PEERCRED`, unix(7)): who listened, seen by a client, and who
/// connected, seen by a server.
struct PeerCredentials {
    /// 0 of one in another pid namespace.
    let process: Int32
    let user: uid_t

    /// Nil of another kind of socket.
    init?(of connection: BorrowedDescriptor) {
        // Process, user and group, as struct ucred, which Glibc's module hides.
        var credentials: [UInt32] = [0, .max, .max]
        var length = socklen_t(credentials.count * MemoryLayout<UInt32>.size)
        guard unsafe getsockopt(connection.rawValue, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0,
            credentials[1] != .max
        else { return nil }
        (process, user) = (Int32(bitPattern: credentials[0]), credentials[1])
    }
}
