import Glibc
import LinuxSockets
import Meters

/// The file that binding a unix socket has made. It goes with this value, unless another is in its place by then.
final class UnixSocketFile: Sendable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Of a socket that was just bound; nil where that made no file.
    init?(boundTo address: SocketAddress) {
        guard let path = try? SocketAddress.unix(path: address.host), path == address else { return nil }
        var status = stat()
        guard unsafe lstat(address.host, &status) == 0 else { return nil }
        (self.path, device, inode) = (address.host, status.st_dev, status.st_ino)
    }

    /// Removes it while the socket is still open: once it is closed, a file that another has made may get this inode.
    func remove() {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        _ = unsafe unlink(path)
    }

    deinit { remove() }
}
