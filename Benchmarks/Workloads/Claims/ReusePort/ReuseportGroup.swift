import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// Listeners on one port, in the order in which the kernel numbers them.
struct ReuseportGroup: ~Copyable {
    let address: SocketAddress
    private var members: [Member]

    private final class Member: Sendable {
        let listener: Listener
        init(_ listener: consuming Listener) { self.listener = listener }
    }

    /// Listens so many times on a port that the kernel chooses.
    init(count: Int) throws(Errno) {
        let first = try Listener(.loopback(), Self.options)
        let address = try first.address
        var members = [Member(first)]
        for _ in 1..<count { members.append(Member(try Listener(address, Self.options))) }
        self.address = address
        self.members = members
    }

    private static let options: [SocketOption] = [.reuseAddress, .reusePort]

    var count: Int { members.count }

    /// How many connections wait at all of them.
    var waiting: Int { members.reduce(0) { $0 + acceptQueueLength(of: $1.listener.descriptor) } }

    /// One of the listeners, borrowed.
    subscript(index: Int) -> BorrowedDescriptor { members[index].listener.descriptor }

    /// One more listener on the port.
    mutating func add() throws(Errno) {
        members.append(Member(try Listener(address, Self.options)))
    }

    /// Closes a listener; the last one moves to its place, as it does in the kernel.
    mutating func close(_ index: Int) {
        members.swapAt(index, members.count - 1)
        members.removeLast()
    }

    /// Accepts all that waits at a listener, and sends a byte to each.
    func serve(_ index: Int) throws(Errno) -> [GroupConnection] {
        var served: [GroupConnection] = []
        while let connection = try members[index].listener.accept() {
            let greeting: [UInt8] = [1]
            // A client that has gone is not served, and nobody misses it.
            _ = try? unsafe connection.send(greeting.span.bytes)
            served.append(GroupConnection(connection))
        }
        return served
    }

    /// Closes all. Without it, they would be closed after their last use.
    consuming func end() {}
}

/// One end of a connection to a group, closed when nobody holds it.
final class GroupConnection: Sendable {
    private let connection: Connection

    init(_ connection: consuming Connection) { self.connection = connection }

    /// What has become of a client.
    enum Fate: Hashable {
        /// It got the server's byte.
        case served
        /// The kernel reset it.
        case reset
        /// Nothing came within ten seconds.
        case forgotten
    }

    /// Waits until the client knows.
    func fate() throws(Errno) -> Fate {
        guard try awaitReadiness(of: connection.descriptor, POLLIN) else { return .forgotten }
        do throws(Errno) {
            return try readOnce(connection.descriptor, 1) == 1 ? .served : .reset
        } catch .connectionReset {
            return .reset
        }
    }
}

/// What has become of clients, and how many of each.
func fates(_ clients: [GroupConnection]) throws(Errno) -> [GroupConnection.Fate: Int] {
    var fates: [GroupConnection.Fate: Int] = [:]
    for client in clients { fates[try client.fate(), default: 0] += 1 }
    return fates
}

/// Clients that have connected and wait to be accepted. They leave nothing behind when they are closed.
func connectClients(to address: SocketAddress, count: Int) throws(Errno) -> [GroupConnection] {
    var clients: [GroupConnection] = []
    for _ in 0..<count {
        clients.append(GroupConnection(try connectBounded(to: address, [.resetOnClose])))
    }
    return clients
}

/// How many connections wait at a listener (`TCP_INFO`, where a listener's `tcpi_unacked` is its accept queue).
func acceptQueueLength(of listener: BorrowedDescriptor) -> Int {
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    guard unsafe getsockopt(listener.rawValue, CInt(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return 0 }
    return Int(info.tcpi_unacked)
}

/// Why a BPF program could not be loaded or attached: of this user or kernel if it is one of the known reasons.
///
/// - Parameter requirement: what the kernel must have to take this program.
func loadingFailed(_ error: Errno, requirement: String) -> any Error {
    switch error {
    case .notPermitted: Unobservable("loading BPF is a privilege (CAP_BPF, CAP_NET_ADMIN): run as root")
    case .noFunction: Unobservable("this kernel was built without BPF")
    case .invalidArgument, .protocolNotAvailable:
        Unobservable("this kernel refuses the BPF program (\(errorName(error))): \(requirement)")
    default: error
    }
}
