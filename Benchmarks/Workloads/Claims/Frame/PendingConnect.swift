import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// A listener whose accept queue is full, so that a connect stays under way until there is room: the kernel drops the
/// SYN and the client sends it again after a second.
struct FullListener: ~Copyable {
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

    /// A socket that is connecting.
    func beginConnect() throws -> OwnedDescriptor {
        let connection = try StreamSocket(for: listener.address, .nonblocking).connect(to: listener.address).release()
        guard tcpState(of: connection.descriptor) == "SYN_SENT" else {
            throw Unobservable("the accept queue takes more than backlog + 1 connections here, so no connect waits")
        }
        return connection
    }

    /// Makes room, and returns when the connect that was under way has been made; it stays connected.
    mutating func letConnect() throws {
        for _ in 1...2 { _ = try listener.listener.accept() }
        try Patience.until("the connect that was under way ends") {
            accepted = try listener.listener.accept()
            return accepted != nil
        }
    }

    /// Closes everything. Without it, it would be closed after the last use.
    consuming func end() { listener.end() }
}

/// The state of a TCP socket as `TCP_INFO` names it; the error's name if it has none.
func tcpState(of socket: BorrowedDescriptor) -> String {
    let names = [
        "none", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
        "LAST_ACK", "LISTEN", "CLOSING",
    ]
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    guard unsafe getsockopt(socket.rawValue, CInt(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else {
        return errorName(Errno(rawValue: errno))
    }
    return Int(info.tcpi_state) < names.count ? names[Int(info.tcpi_state)] : "\(info.tcpi_state)"
}
