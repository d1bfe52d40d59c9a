import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// What can be set on a socket (`socket(7)`, `tcp(7)`), by its C name.
public enum SocketOption: Sendable {
    /// `SO_REUSEADDR`: bind although connections of an earlier listener linger in TIME_WAIT.
    case reuseAddress
    /// `SO_REUSEPORT` (Linux 3.9): several listeners on one port, connections spread over them by hash.
    case reusePort
    /// `SO_LINGER` with 0 s: closing sends a reset and leaves no TIME_WAIT. Accepted sockets inherit it.
    case resetOnClose
    /// `TCP_NODELAY`: send small segments at once.
    case noDelay
    /// `IPV6_V6ONLY`: an IPv6 listener takes no IPv4 connections.
    case ipv6Only
    /// `SO_RCVBUF` in bytes; the kernel doubles it, after cutting it to `net.core.rmem_max`.
    case receiveBuffer(bytes: Int)
    /// `SO_SNDBUF` in bytes; the kernel doubles it, after cutting it to `net.core.wmem_max`.
    case sendBuffer(bytes: Int)
    /// `SO_BUSY_POLL` in whole microseconds (Linux 3.11): how long a call that would block, and a `poll(2)` or an
    /// `epoll_wait(2)` where `net.core.busy_poll` is set, looks at the queue of the device from which the socket gets its
    /// packets (NAPI). Loopback has none (``napiIdentifier(of:)``). Accepted sockets inherit it.
    case busyPoll(Duration)
    /// `SO_PREFER_BUSY_POLL` (Linux 5.11): lets the device send no interrupts while somebody looks, which needs its
    /// `napi_defer_hard_irqs` and `gro_flush_timeout`.
    case preferBusyPoll
    /// `SO_BUSY_POLL_BUDGET` (Linux 5.11): how many packets one look takes at the most.
    case busyPollBudget(Int)
    /// `SO_INCOMING_CPU` (settable since Linux 4.4): of listeners with ``reusePort`` on one port, the one that was given the
    /// processor on which a connection arrives gets it, and the hash decides where none was. Before Linux 6.2 such a group
    /// goes by its hash alone, without a word. A program that is attached to the group goes before.
    case incomingProcessor(Int)
    /// `TCP_DEFER_ACCEPT` (Linux 2.4): a listener is told of a connection when its first bytes have come, so that a receive
    /// after the accept does not wait. The kernel rounds the time to a number of its retransmissions. A client that has
    /// sent nothing when it is over is accepted all the same if it answers once more, else forgotten; 0 turns it off.
    case deferAccept(seconds: Int)
    /// `TCP_FASTOPEN` (Linux 3.7): a listener takes the first bytes of known clients with the SYN. So many of their
    /// connections may be in the making; others are made as usual. It needs ``FastOpenSupport/server`` as well, and is
    /// without effect, without a word, where that is off.
    case fastOpen(queue: Int)
    /// `TCP_FASTOPEN_CONNECT` (Linux 4.11): a connect to a server that has given a cookie before says at once that it is
    /// connected, and the first send goes with the SYN; a refusal is told there. To other servers it connects as usual,
    /// and asks for a cookie. It needs ``FastOpenSupport/client``.
    case fastOpenConnect
    /// `UDP_GRO` (Linux 5.0, `udp(7)`): datagrams of one sender that are of one length come together, where they arrive
    /// together. To be received with ``DatagramSocket/receiveSegments(into:from:options:)``: other calls do not tell where
    /// one ends.
    case coalescing
}

/// Sets an option (`setsockopt(2)`).
///
/// - Throws: `EBADF`, `ENOTSOCK`; `ENOPROTOOPT` for what the kernel or the socket's family does not have, `EOPNOTSUPP`
///   likewise of unix sockets; `EINVAL` for a negative size, which the kernel would take for the largest, and for
///   `IPV6_V6ONLY` after binding; also for a negative processor, time or queue, and for a queue of a socket that is
///   connected; `EPERM` for more busy polling than there was, without `CAP_NET_ADMIN`.
public func setSocketOption(_ option: SocketOption, on socket: BorrowedDescriptor) throws(Errno) {
    switch option {
    case .reuseAddress: try setOption(socket, SOL_SOCKET, SO_REUSEADDR, CInt(1))
    case .reusePort: try setOption(socket, SOL_SOCKET, SO_REUSEPORT, CInt(1))
    case .resetOnClose: try setOption(socket, SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
    case .noDelay: try setOption(socket, CInt(IPPROTO_TCP), TCP_NODELAY, CInt(1))
    case .ipv6Only: try setOption(socket, CInt(IPPROTO_IPV6), IPV6_V6ONLY, CInt(1))
    case .receiveBuffer(let bytes): try setOption(socket, SOL_SOCKET, SO_RCVBUF, amount(bytes))
    case .sendBuffer(let bytes): try setOption(socket, SOL_SOCKET, SO_SNDBUF, amount(bytes))
    case .incomingProcessor(let number): try setOption(socket, SOL_SOCKET, SO_INCOMING_CPU, amount(number))
    case .deferAccept(let seconds): try setOption(socket, CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, amount(seconds))
    case .fastOpen(let queue): try setOption(socket, CInt(IPPROTO_TCP), TCP_FASTOPEN, amount(queue))
    case .fastOpenConnect: try setOption(socket, CInt(IPPROTO_TCP), TCP_FASTOPEN_CONNECT, CInt(1))
    case .busyPoll(let duration):
        let cut = min(max(duration, .microseconds(-1)), .microseconds(Int64(CInt.max)))
        try setOption(socket, SOL_SOCKET, C_SO_BUSY_POLL, CInt(cut / .microseconds(1)))
    case .preferBusyPoll: try setOption(socket, SOL_SOCKET, C_SO_PREFER_BUSY_POLL, CInt(1))
    case .busyPollBudget(let packets):
        try setOption(socket, SOL_SOCKET, C_SO_BUSY_POLL_BUDGET, CInt(clamping: packets))
    case .coalescing: try setOption(socket, C_SOL_UDP, C_UDP_GRO, CInt(1))
    }
}

/// Which queue of a network device brought a socket's last packet (`SO_INCOMING_NAPI_ID`, Linux 4.12); nil while nothing
/// has come, and of what has no such queue, as loopback: there is nothing to poll then.
///
/// - Throws: `ENOPROTOOPT` before Linux 4.12 and where the kernel was built without (`CONFIG_NET_RX_BUSY_POLL`).
public func napiIdentifier(of socket: BorrowedDescriptor) throws(Errno) -> UInt32? {
    var value: UInt32 = 0
    var length = socklen_t(MemoryLayout<UInt32>.size)
    if unsafe getsockopt(socket.rawValue, SOL_SOCKET, C_SO_INCOMING_NAPI_ID, &value, &length) != 0 {
        throw Errno(rawValue: errno)
    }
    return value == 0 ? nil : value
}

/// A size, time or number as the kernel takes it, which cuts what is too large in any case.
private func amount(_ value: Int) throws(Errno) -> CInt {
    guard value >= 0 else { throw .invalidArgument }
    return CInt(clamping: value)
}

func setOption<Value: BitwiseCopyable>(
    _ socket: BorrowedDescriptor, _ level: CInt, _ name: CInt, _ value: Value
) throws(Errno) {
    let result = unsafe withUnsafePointer(to: value) {
        unsafe setsockopt(socket.rawValue, level, name, $0, socklen_t(MemoryLayout<Value>.size))
    }
    if result != 0 { throw Errno(rawValue: errno) }
}

/// The error that is pending on a socket (`SO_ERROR`), which reading it clears; nil if there is none.
public func takeSocketError(of socket: BorrowedDescriptor) throws(Errno) -> Errno? {
    var value: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    if unsafe getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &value, &length) != 0 { throw Errno(rawValue: errno) }
    return value == 0 ? nil : Errno(rawValue: value)
}
