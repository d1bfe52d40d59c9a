import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// So many connections, no faster than the pace allows.
///
/// - Parameter start: asked again and again whether it is given up; `ECANCELED` is thrown when it says so.
func connectAll(
    _ count: Int, to address: SocketAddress, _ pace: inout ConnectPace, _ start: ClientStart
) throws(Errno) -> [CInt] {
    var descriptors: [CInt] = []
    descriptors.reserveCapacity(count)
    do throws(Errno) {
        while descriptors.count < count {
            let turn = pace.take(monotonicNanoseconds())
            while turn > monotonicNanoseconds() {
                if start.isGivenUp { throw .canceled }
                sleepUntil(nanoseconds: min(turn, monotonicNanoseconds() + 100_000_000))
            }
            descriptors.append(try connected(to: address, start).release().release().rawValue)
        }
    } catch {
        for descriptor in descriptors { close(descriptor) }
        throw error
    }
    return descriptors
}

/// A connection that is made when this returns, or given up after a time: connect(2) itself waits for two minutes for a
/// peer that does not answer.
private func connected(to address: SocketAddress, _ start: ClientStart) throws(Errno) -> Connection {
    let deadline = monotonicNanoseconds() + 2 * RunWindow.graceNanoseconds
    let connection = try begun(to: address, until: deadline, start)
    var entry = pollfd(fd: connection.descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
    while unsafe poll(&entry, 1, 100) <= 0 {
        guard !start.isGivenUp else { throw .canceled }
        guard monotonicNanoseconds() < deadline else { throw .timedOut }
    }
    if let error = try takeSocketError(of: connection.descriptor) { throw error }
    try prepareStream(connection.descriptor, for: address)
    return connection
}

/// A connection that is at least under way: a unix listener whose queue is full lets nobody in until there is room.
private func begun(
    to address: SocketAddress, until deadline: UInt64, _ start: ClientStart
) throws(Errno) -> Connection {
    while true {
        guard !start.isGivenUp else { throw .canceled }
        do throws(Errno) {
            return try StreamSocket(for: address, .nonblocking).connect(to: address)
        } catch {
            guard isQueueFull(error, address), monotonicNanoseconds() < deadline else { throw error }
            sleepUntil(nanoseconds: monotonicNanoseconds() + fullQueueNanoseconds)
        }
    }
}

/// True if a unix listener's queue is full, which `connect(2)` of a nonblocking socket does not wait for.
func isQueueFull(_ error: Errno, _ address: SocketAddress) -> Bool {
    error == .resourceTemporarilyUnavailable && address.family == AF_UNIX
}

/// How long until a full queue is tried again.
let fullQueueNanoseconds: UInt64 = 1_000_000

/// Sets what a stream needs; a unix socket has no delay to be turned off.
func prepareStream(_ descriptor: BorrowedDescriptor, for address: SocketAddress) throws(Errno) {
    if address.family != AF_UNIX { try setSocketOption(.noDelay, on: descriptor) }
}
