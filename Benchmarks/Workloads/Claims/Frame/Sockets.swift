import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// A listener with its connections, for scripts.
struct ScriptListener: ~Copyable {
    let listener: Listener
    let address: SocketAddress
    private var clients: [Client] = []

    /// Listens on a port that the kernel chooses.
    init(_ options: [SocketOption] = [.reuseAddress, .resetOnClose], backlog: Int = 4096) throws(Errno) {
        let listener = try Listener(.loopback(), backlog: backlog, options)
        let address = try listener.address
        self.listener = listener
        self.address = address
    }

    var descriptor: BorrowedDescriptor { listener.descriptor }

    /// A client's connection; when this returns it waits in the accept queue, or is about to on a busy machine.
    func connect() throws(Errno) -> Connection { try connectBounded(to: address) }

    /// A client connects and stays connected as long as this listener. When this returns it waits in the accept queue,
    /// so nobody may accept meanwhile.
    mutating func admit() throws {
        let waiting = acceptQueueLength(of: descriptor)
        try connectClient()
        try Patience.until("a connection waits to be accepted") { acceptQueueLength(of: descriptor) > waiting }
    }

    /// The same where somebody may accept meanwhile.
    mutating func connectClient() throws(Errno) {
        clients.append(Client(try connect()))
    }

    private final class Client {
        let connection: Connection
        init(_ connection: consuming Connection) { self.connection = connection }
    }

    /// Closes the listener, then what was admitted. Without it, they would be closed after their last use.
    consuming func end() {}

    /// A connection and its accepted end, which does not wait.
    func pair() throws -> ConnectionPair {
        let client = try connect()
        // connect(2) returns with the peer's answer; on a busy machine its own to that can still be on the way.
        guard try awaitReadiness(of: listener.descriptor, POLLIN), let server = try listener.accept() else {
            throw Undecided("a connection did not reach the accept queue within 10 s")
        }
        return ConnectionPair(client: client, server: server)
    }
}

/// Both ends of a connection.
struct ConnectionPair: ~Copyable {
    let client: Connection
    let server: Connection

    /// Sends from the client, all at once. When this returns the bytes can be read at the other end, so nobody may read
    /// meanwhile.
    func send(_ count: Int) throws {
        let unread = unreadBytes(server.descriptor)
        let bytes = [UInt8](repeating: 7, count: count)
        guard unsafe try client.send(bytes.span.bytes) == count else {
            throw ScriptError("send took less than \(count)")
        }
        try Patience.until("what was sent arrives") { unreadBytes(server.descriptor) >= unread + count }
    }

    /// Closes both ends. Without it, they would be closed after their last use.
    consuming func end() {}
}

/// How many bytes wait to be read from a socket: all that `recv(2)` would take, which leaves them there.
private func unreadBytes(_ socket: BorrowedDescriptor) -> Int {
    var bytes = [UInt8](repeating: 0, count: 8192)
    return max(0, unsafe recv(socket.rawValue, &bytes, bytes.count, CInt(MSG_PEEK | MSG_DONTWAIT)))
}

/// Accepts and closes; what came of it: `ok`, or the name of the error.
func acceptOutcome(_ listener: BorrowedDescriptor) -> String {
    do {
        return try acceptConnection(from: listener) == nil ? "EAGAIN" : "ok"
    } catch {
        return errorName(error)
    }
}

/// Reads at most `limit` bytes; nil for `EAGAIN`.
func readOnce(_ connection: BorrowedDescriptor, _ limit: Int) throws(Errno) -> Int? {
    var bytes = [UInt8](repeating: 0, count: limit)
    return try nonblockingSystemCall { unsafe recv(connection.rawValue, &bytes, limit, 0) }
}

/// The C name of an error number that scripts meet.
func errorName(_ error: Errno) -> String {
    let names: [Errno: String] = [
        .wouldBlock: "EAGAIN", .invalidArgument: "EINVAL", .badFileDescriptor: "EBADF",
        .noSuchFileOrDirectory: "ENOENT", .fileExists: "EEXIST", .notPermitted: "EPERM",
        .socketNotConnected: "ENOTCONN", .connectionReset: "ECONNRESET", .connectionAbort: "ECONNABORTED",
        .connectionRefused: "ECONNREFUSED", .addressInUse: "EADDRINUSE", .canceled: "ECANCELED",
        .alreadyInProcess: "EALREADY", .nowInProgress: "EINPROGRESS", .timedOut: "ETIMEDOUT", .brokenPipe: "EPIPE",
        .noBufferSpace: "ENOBUFS", .tooManySymbolicLinkLevels: "ELOOP",
        .protocolNotAvailable: "ENOPROTOOPT", .tooManyOpenFiles: "EMFILE", .tooManyOpenFilesInSystem: "ENFILE",
        .noMemory: "ENOMEM", .permissionDenied: "EACCES", .noFunction: "ENOSYS", .networkUnreachable: "ENETUNREACH",
        .addressNotAvailable: "EADDRNOTAVAIL",
    ]
    return names[error] ?? "errno\(error.rawValue)"
}

/// `ok`, or the name of the error that `body` throws.
func outcome(_ body: () throws(Errno) -> Void) -> String {
    do throws(Errno) {
        try body()
        return "ok"
    } catch {
        return errorName(error)
    }
}
