import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// Listeners on one port, in the order in which the kernel numbers them.
struct ReuseportGroup: Scene, ~Copyable {
    let address: SocketAddress
    private var members: [Shared<Listener>]

    init(count: Int) throws(Errno) {
        let first = Shared(try Listener(.loopback(), Self.options))
        let address = try first.value.address
        var members = [first]
        for _ in 1..<count { members.append(Shared(try Listener(address, Self.options))) }
        self.address = address
        self.members = members
    }

    private static let options: [SocketOption] = [.reuseAddress, .reusePort]

    var count: Int { members.count }

    var waiting: Int { members.reduce(0) { $0 + acceptQueueLength(of: $1.value.descriptor) } }

    subscript(index: Int) -> BorrowedDescriptor { members[index].value.descriptor }

    mutating func add() throws(Errno) {
        members.append(Shared(try Listener(address, Self.options)))
    }

    /// Closes a listener; the last one moves to its place, as it does in the kernel.
    mutating func close(_ index: Int) {
        members.swapAt(index, members.count - 1)
        members.removeLast()
    }

    /// Accepts all that waits at a listener, and sends a byte to each.
    func serve(_ index: Int) throws(Errno) -> [GroupConnection] {
        var served: [GroupConnection] = []
        while let connection = try members[index].value.accept() {
            let greeting: [UInt8] = [1]
            // A client may have closed its end.
            _ = try? unsafe connection.send(greeting.span.bytes)
            served.append(Shared(connection))
        }
        return served
    }

    /// Serves listeners for a while, every millisecond.
    func serve(_ indices: [Int], for nanoseconds: UInt64) throws(Errno) {
        let end = monotonicNanoseconds() + nanoseconds
        while monotonicNanoseconds() < end {
            for index in indices { _ = try serve(index) }
            sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
        }
    }
}

/// One end of a connection to a group, closed with its last reference.
typealias GroupConnection = Shared<Connection>

enum ClientFate: Hashable {
    case served
    case reset
    /// Nothing came within ten seconds.
    case forgotten
}

/// Waits until all clients know their fate, and counts the fates.
func fates(_ clients: [GroupConnection]) throws(Errno) -> [ClientFate: Int] {
    var fates: [ClientFate: Int] = [:]
    for client in clients { fates[try fate(client.value.descriptor), default: 0] += 1 }
    return fates
}

private func fate(_ client: BorrowedDescriptor) throws(Errno) -> ClientFate {
    guard try awaitReadiness(of: client, POLLIN) else { return .forgotten }
    do throws(Errno) {
        return try readOnce(client, 1) == 1 ? .served : .reset
    } catch .connectionReset {
        return .reset
    }
}

/// Clients that have connected and wait to be accepted. Closing them resets the connection, without TIME_WAIT.
func connectClients(to address: SocketAddress, count: Int) throws(Errno) -> [GroupConnection] {
    var clients: [GroupConnection] = []
    for _ in 0..<count {
        clients.append(Shared(try connectBounded(to: address, [.resetOnClose])))
    }
    return clients
}

/// Why a BPF program could not be loaded or attached: ``Unobservable`` if this user or kernel is a known reason.
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
