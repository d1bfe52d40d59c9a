import CSocketExtras
import Glibc
import LinuxDescriptors
public import SystemPackage

/// How a nonblocking connect ends.
extension Connection {
    /// Says what became of a nonblocking ``StreamSocket/connect(to:)``, to be asked when the socket is writable:
    ///
    /// ```swift
    /// let socket = try StreamSocket(for: address, .nonblocking)
    /// let token = try set.insert(socket.connect(to: address).release(), .writable)
    /// // after an event of `token`:
    /// do {
    ///     if try set.with(token, as: Connection.self, { try $0.finishConnecting() }) == true {
    ///         try set.modify(token, .readable)
    ///     }
    /// } catch { try set.close(token) }
    /// ```
    ///
    /// - Returns: true if it is connected, false if it is under way still.
    /// - Throws: why it failed: `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`, `ENETUNREACH`, `ECONNRESET`; `ENOTCONN` if that
    ///   was told before.
    public func finishConnecting() throws(Errno) -> Bool {
        let number = owned.descriptor.rawValue
        var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        // Asked first: what ends after this leaves its outcome for the questions below.
        _ = try systemCall { unsafe poll(&entry, 1, 0) }
        if let error = try takeError() { throw error }
        do {
            _ = try peerAddress
            return true
        } catch {
            // Under way, or ended long ago.
            if error == .socketNotConnected && entry.revents == 0 { return false }
            throw error
        }
    }

    /// The error that is pending on the socket, which reading it clears; nil if there is none (`SO_ERROR`).
    public func takeError() throws(Errno) -> Errno? { try takeSocketError(of: owned.descriptor) }
}
