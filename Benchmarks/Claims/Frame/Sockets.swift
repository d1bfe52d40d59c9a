import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// A listener with its connections, for scripts.
struct ScriptListener: Scene, ~Copyable {
    let listener: Listener
    let address: SocketAddress
    private var clients: [Shared<Connection>] = []

    init(_ options: [SocketOption] = [.reuseAddress, .resetOnClose], backlog: Int = 4096) throws(Errno) {
        let listener = try Listener(.loopback(), backlog: backlog, options)
        let address = try listener.address
        self.listener = listener
        self.address = address
    }

    var descriptor: BorrowedDescriptor { listener.descriptor }

    func connect() throws(Errno) -> Connection { try connectBounded(to: address) }

    /// Connects a client that stays connected as long as this listener, and waits until it is in the accept queue, so
    /// no other thread may accept meanwhile.
    mutating func admit() throws {
        let waiting = acceptQueueLength(of: descriptor)
        try connectClient()
        try Patience.until("a connection waits to be accepted") { acceptQueueLength(of: descriptor) > waiting }
    }

    /// The same where another thread may accept meanwhile.
    mutating func connectClient() throws(Errno) {
        clients.append(Shared(try connect()))
    }

    /// A connection and its accepted end, which is nonblocking.
    func pair() throws -> ConnectionPair {
        let client = try connect()
        // connect(2) returns with the peer's answer; on a busy machine its own reply can still be on the way.
        guard try awaitReadiness(of: listener.descriptor, POLLIN), let server = try listener.accept() else {
            throw Undecided("a connection did not reach the accept queue within 10 s")
        }
        return ConnectionPair(client: client, server: server)
    }
}

struct ConnectionPair: Scene, ~Copyable {
    let client: Connection
    let server: Connection

    /// Sends from the client, and waits until the bytes can be read, so no other thread may read meanwhile.
    func send(_ count: Int) throws {
        let unread = unreadBytes(server.descriptor)
        let bytes = [UInt8](repeating: 7, count: count)
        guard unsafe try client.send(bytes.span.bytes) == count else {
            throw ScriptError("send took less than \(count)")
        }
        try Patience.until("what was sent arrives") { unreadBytes(server.descriptor) >= unread + count }
    }

    consuming func closeServer() throws(Errno) -> Connection {
        try server.close()
        return client
    }
}

/// Connects a blocking socket within ``Patience/limitNanoseconds``: `connect(2)` itself waits for minutes where nothing
/// answers, as on an interface that is down.
func connectBounded(to address: SocketAddress, _ options: [SocketOption] = []) throws(Errno) -> Connection {
    let socket = try StreamSocket(for: address, .nonblocking)
    for option in options { try setSocketOption(option, on: socket.descriptor) }
    let connection = try socket.connect(to: address)
    guard try awaitReadiness(of: connection.descriptor, POLLOUT) else { throw .timedOut }
    if let error = try takeSocketError(of: connection.descriptor) { throw error }
    try connection.descriptor.setNonblocking(false)
    return connection
}

/// How many of three clients connect, one after the other.
func countConnects(to address: SocketAddress) -> Int {
    (1...3).count { _ in outcome { () throws(Errno) in _ = try connectBounded(to: address) } == "ok" }
}

/// Bytes that wait to be received, 8192 at the most.
func unreadBytes(_ socket: BorrowedDescriptor) -> Int {
    var bytes = [UInt8](repeating: 0, count: 8192)
    return max(0, unsafe recv(socket.rawValue, &bytes, bytes.count, CInt(MSG_PEEK | MSG_DONTWAIT)))
}

/// Reads at most `limit` bytes; nil for `EAGAIN`.
func readOnce(_ connection: BorrowedDescriptor, _ limit: Int) throws(Errno) -> Int? {
    var bytes = [UInt8](repeating: 0, count: limit)
    return try nonblockingSystemCall { unsafe recv(connection.rawValue, &bytes, limit, 0) }
}

/// Accepts and closes: `ok`, or the name of the error.
func acceptOutcome(_ listener: BorrowedDescriptor) -> String {
    outcome { () throws(Errno) in
        if try acceptConnection(from: listener) == nil { throw .wouldBlock }
    }
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

func errorName(_ error: Errno) -> String { errorName(error.rawValue) }
