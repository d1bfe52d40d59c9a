import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// Connects a blocking socket to an address of this machine, within ``Patience/limitNanoseconds``: `connect(2)` itself
/// waits for minutes where nothing answers, as on an interface that is down.
///
/// - Parameter options: set before the connect.
/// - Throws: what `connect(2)` says, `ETIMEDOUT` if it says nothing.
func connectBounded(to address: SocketAddress, _ options: [SocketOption] = []) throws(Errno) -> Connection {
    let socket = try StreamSocket(for: address, .nonblocking)
    for option in options { try setSocketOption(option, on: socket.descriptor) }
    let connection = try socket.connect(to: address)
    let number = connection.descriptor.rawValue
    guard try awaitReadiness(of: connection.descriptor, POLLOUT) else { throw .timedOut }
    var (error, length): (CInt, socklen_t) = (0, socklen_t(MemoryLayout<CInt>.size))
    _ = try systemCall { unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &length) }
    if error != 0 { throw Errno(rawValue: error) }
    let flags = try systemCall { fcntl(number, F_GETFL) }
    _ = try systemCall { fcntl(number, F_SETFL, flags & ~O_NONBLOCK) }
    return connection
}

/// Waits until a descriptor is ready (`poll(2)`); false if it is not within a time.
func awaitReadiness(
    of descriptor: BorrowedDescriptor, _ events: CInt, nanoseconds: UInt64 = Patience.limitNanoseconds
) throws(Errno) -> Bool {
    var entry = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
    return try systemCall { unsafe poll(&entry, 1, CInt(nanoseconds / 1_000_000)) } > 0
}
