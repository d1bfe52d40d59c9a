import CSocketExtras
import Glibc

/// What OpenSSL calls to reach a connection's socket (`BIO_meth_new(3)`).
///
/// Its own would raise `SIGPIPE`, and would not tell whether the socket is drained, which an edge-triggered loop has to know
/// without one more call.
enum SocketCalls {
    /// The state of one socket, at an address that stays.
    struct Socket {
        var descriptor: CInt = -1
        /// Something was sent, so that the peer's answer is waited for.
        var hasSent = false
        /// The last call's error; 0 if it succeeded, or has to wait.
        var error: CInt = 0
        /// Nothing more was there when it was last read from.
        var isDrained = false
        /// The peer has closed.
        var hasEnded = false
    }

    static let write: OpenSSL.WriteCall = { bio, bytes, count in
        guard let library = OpenSSL.installed, let bytes = unsafe bytes, let socket = unsafe socket(bio, library) else {
            return -1
        }
        while true {
            let sent = unsafe send(socket.pointee.descriptor, bytes, Int(count), CInt(MSG_NOSIGNAL))
            if sent < 0 && errno == EINTR { continue }
            unsafe note(sent, bio, socket, library, retry: 0x02)
            if sent > 0 { unsafe socket.pointee.hasSent = true }
            return CInt(sent)
        }
    }

    static let read: OpenSSL.ReadCall = { bio, bytes, count in
        guard let library = OpenSSL.installed, let bytes = unsafe bytes, let socket = unsafe socket(bio, library) else {
            return -1
        }
        while true {
            let received = unsafe recv(socket.pointee.descriptor, bytes, Int(count), 0)
            if received < 0 && errno == EINTR { continue }
            unsafe note(received, bio, socket, library, retry: 0x01)
            unsafe socket.pointee.isDrained = received < Int(count)
            if received == 0 { unsafe socket.pointee.hasEnded = true }
            return CInt(received)
        }
    }

    /// Nothing is kept back, so a flush (`BIO_CTRL_FLUSH`) is done at once; nothing else is known.
    static let control: OpenSSL.ControlCall = { _, command, _, _ in command == 11 ? 1 : 0 }

    private static func socket(_ bio: OpenSSL.Object?, _ library: OpenSSL) -> UnsafeMutablePointer<Socket>? {
        unsafe library.BIO_get_data(bio)?.assumingMemoryBound(to: Socket.self)
    }

    /// - Parameter retry: the flag that says in which direction to wait (`BIO_FLAGS_READ`, `BIO_FLAGS_WRITE`).
    private static func note(
        _ count: Int, _ bio: OpenSSL.Object?, _ socket: UnsafeMutablePointer<Socket>, _ library: OpenSSL, retry: CInt
    ) {
        let error = count < 0 ? errno : 0
        // BIO_FLAGS_RWS and BIO_FLAGS_SHOULD_RETRY.
        unsafe library.BIO_clear_flags(bio, 0x0f)
        let mustWait = error == EAGAIN
        if mustWait { unsafe library.BIO_set_flags(bio, retry | 0x08) }
        unsafe socket.pointee.error = mustWait ? 0 : error
    }
}
