import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// The file that binding a unix socket has made. It goes with this value, unless another is in its place by then.
final class UnixSocketFile: Sendable {
    private let path: String
    /// Of the file, which keeps its inode until this is closed.
    private let descriptor: OwnedDescriptor

    /// Of a socket that was just bound; nil where that made no file.
    init?(boundTo address: SocketAddress) {
        guard let path = try? SocketAddress.unix(path: address.host), path == address else { return nil }
        let number = unsafe c_open_path(address.host)
        guard number >= 0 else { return nil }
        self.path = address.host
        descriptor = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    deinit {
        var (made, found) = (stat(), stat())
        guard unsafe fstat(descriptor.descriptor.rawValue, &made) == 0, unsafe lstat(path, &found) == 0,
            made.st_dev == found.st_dev, made.st_ino == found.st_ino
        else { return }
        _ = unsafe unlink(path)
    }
}
