import CSocketExtras
import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// A copy of a socket that another process has open. It tells what no table in `/proc` does: whose a connection was that
/// is closed already, and by which client of a unix socket it was made.
struct TakenSocket: ~Copyable {
    fileprivate let socket: Connection

    /// Whether a server accepted it from a client of this process which is gone. False for what listens, was connected
    /// by the server itself, or has another client that is still there.
    ///
    /// - Parameter ends: of a connection to the server.
    func isLeft(by ends: ConnectionEnds) -> Bool {
        guard option(SO_TYPE) == CInt(SOCK_STREAM.rawValue), option(SO_ACCEPTCONN) == 0,
            let local = try? socket.localAddress
        else { return false }
        if local.family == AF_UNIX {
            return local == ends.server && PeerCredentials(of: socket.descriptor)?.process == getpid()
        }
        guard local.port == ends.server.port, local.plainHost == ends.server.plainHost, isClosedByPeer else {
            return false
        }
        // A connection that was reset has no peer any more.
        guard let peer = try? socket.peerAddress else { return true }
        return peer.plainHost == ends.client.plainHost
    }

    private func option(_ name: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        let result = unsafe getsockopt(socket.descriptor.rawValue, SOL_SOCKET, name, &value, &length)
        return result == 0 ? value : nil
    }

    /// Whether a TCP connection was there and its peer has closed or reset it.
    private var isClosedByPeer: Bool {
        // struct tcp_info of <linux/tcp.h>, of which <netinet/tcp.h> lacks the end: its state comes first, and
        // tcpi_segs_in is at 140.
        var information = [UInt32](repeating: 0, count: 36)
        var length = socklen_t(144)
        let result = unsafe getsockopt(
            socket.descriptor.rawValue, CInt(IPPROTO_TCP), TCP_INFO, &information, &length)
        // What was never connected got no segment.
        guard result == 0, length == 144, information[35] > 0 else { return false }
        let state = Int(UInt8(truncatingIfNeeded: UInt32(littleEndian: information[0])))
        return [TCP_CLOSE, TCP_CLOSE_WAIT, TCP_LAST_ACK, TCP_CLOSING, TCP_TIME_WAIT].map { Int($0) }.contains(state)
    }
}

/// Whether a socket of another process could be had.
enum TakenSocketOutcome: ~Copyable {
    case taken(TakenSocket)
    /// It was closed meanwhile.
    case gone
    case refused(Errno)
}

/// Copies a socket out of another process (`pidfd_getfd(2)`).
func takeSocket(_ inode: UInt64, descriptor: Int32, of process: Int32) -> TakenSocketOutcome {
    do throws(Errno) {
        let handle = OwnedDescriptor(owning: FileDescriptor(rawValue: try systemCall { c_pidfd_open(process) }))
        let copy = try systemCall { c_pidfd_getfd(handle.descriptor.rawValue, descriptor) }
        let socket = Connection(owning: OwnedDescriptor(owning: FileDescriptor(rawValue: copy)))
        // Its number may be another's by now.
        guard OpenSockets.inode(at: "/proc/thread-self/fd/\(copy)") == inode else { return .gone }
        return .taken(TakenSocket(socket: socket))
    } catch .badFileDescriptor {
        return .gone
    } catch .noSuchProcess {
        return .gone
    } catch {
        return .refused(error)
    }
}

extension SocketAddress {
    /// The host, of an IPv4 address in IPv6's form that of IPv4.
    fileprivate var plainHost: Substring {
        host.hasPrefix("::ffff:") && host.contains(".") ? host.dropFirst("::ffff:".count) : host[...]
    }
}
