import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// A listener whose accept queue is full, so that a connect stays pending until there is room: the kernel drops the SYN
/// and the client sends it again after a second.
struct FullListener: Scene, ~Copyable {
    private let listener: ScriptListener
    private var accepted: Connection?

    init() throws {
        var listener = try ScriptListener(backlog: 1)
        // The queue holds one more than the backlog.
        try listener.admit()
        try listener.admit()
        self.listener = listener
        accepted = nil
    }

    func beginConnect() throws -> OwnedDescriptor {
        let connection = try StreamSocket(for: listener.address, .nonblocking).connect(to: listener.address).release()
        guard tcpState(of: connection.descriptor) == "SYN_SENT" else {
            throw Unobservable("the accept queue takes more than backlog + 1 connections here, so no connect waits")
        }
        return connection
    }

    /// Makes room, and returns when the pending connect has succeeded; it stays connected.
    mutating func letConnect() throws {
        for _ in 1...2 { _ = try listener.listener.accept() }
        try Patience.until("the pending connect ends") {
            accepted = try listener.listener.accept()
            return accepted != nil
        }
    }
}

/// The state of a TCP socket as `TCP_INFO` names it; the error's name if it has none.
func tcpState(of socket: BorrowedDescriptor) -> String {
    let names = [
        "none", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
        "LAST_ACK", "LISTEN", "CLOSING",
    ]
    guard let info = tcpInfo(of: socket) else { return errorName(Errno(rawValue: errno)) }
    return Int(info.tcpi_state) < names.count ? names[Int(info.tcpi_state)] : "\(info.tcpi_state)"
}

/// How many connections wait at a listener: the `tcpi_unacked` of a listener is its accept queue.
func acceptQueueLength(of listener: BorrowedDescriptor) -> Int {
    tcpInfo(of: listener).map { Int($0.tcpi_unacked) } ?? 0
}

/// The socket option `TCP_INFO` (`tcp(7)`); nil, and `errno`, if there is none.
private func tcpInfo(of socket: BorrowedDescriptor) -> tcp_info? {
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    return unsafe getsockopt(socket.rawValue, CInt(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 ? info : nil
}
