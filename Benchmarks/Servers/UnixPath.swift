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
    guard unsafe lstat(path, &status) == 0 else {
        return errno == EACCES ? closedFolder(of: path) : unwritableFolder(of: path)
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
        return "\(path) exists and is no socket; name a path that does not exist yet"
    }
    switch ConnectionAttempt(address).connect(until: 0, unless: []) {
    case .refused(.connectionRefused):
        return "\(path) is the socket of a server that has ended; remove it (rm \(path)), or name another path"
    case .refused(.permissionDenied):
        return "\(path) is a socket that this user may not connect to, perhaps another user's; name another path"
    default:
        return "another program listens on \(path) already; end it, or name another path"
    }
}

/// The first folder on the way to a path that this user cannot search.
private func closedFolder(of path: String) -> String {
    let closed = folders(to: path).first { !isAllowed(X_OK, in: $0) } ?? folder(of: path)
    return
        "the folder \(closed) cannot be searched by \(thisUser); allow it (chmod +x \(closed)), or name a path elsewhere"
}

private func unwritableFolder(of path: String) -> String? {
    let folder = folder(of: path)
    guard !isAllowed(W_OK | X_OK, in: folder), errno == EACCES else { return nil }
    return
        "the folder \(folder) cannot be written by \(thisUser); allow it (chmod +w \(folder)), or name a path elsewhere"
}

private var thisUser: String { geteuid() == 0 ? "root, which lacks CAP_DAC_OVERRIDE here" : "user \(geteuid())" }

/// With the user that this process acts as, as the calls that follow have it.
private func isAllowed(_ access: CInt, in folder: String) -> Bool {
    unsafe faccessat(AT_FDCWD, folder, access, AT_EACCESS) == 0
}

private func folder(of path: String) -> String { folders(to: path).last ?? path }

/// The folders that are passed on the way to a path, from the first on.
func folders(to path: String) -> [String] {
    [path.hasPrefix("/") ? "/" : "."]
        + path.indices.dropFirst().filter { path[$0] == "/" && path[path.index(before: $0)] != "/" }.map {
            String(path[..<$0])
        }
}
