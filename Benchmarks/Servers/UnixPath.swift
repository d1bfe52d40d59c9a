import Glibc
import LinuxSockets
import Meters
import SystemPackage

/// Why a server cannot make its unix socket at a path; nil if it can. One line, with what to do about it.
package func unixPathRefusal(_ path: String) -> String? {
    let address: SocketAddress
    do throws(Errno) {
        address = try .unix(path: path)
    } catch {
        return "\(path) has \(path.utf8.count) bytes, and the path of a unix socket has 1 to 107; name a shorter one"
    }
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return nil }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
        return "\(path) exists and is no socket; name a path that does not exist yet"
    }
    if case .refused(.connectionRefused) = ConnectionAttempt(address).connect(until: 0, unless: []) {
        return "\(path) is the socket of a server that has ended; remove it (rm \(path)), or name another path"
    }
    return "another program listens on \(path) already; end it, or name another path"
}
