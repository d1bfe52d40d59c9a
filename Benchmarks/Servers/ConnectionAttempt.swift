import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// The two ends of a connection, as the kernel names them: a unix server's by the path that it bound.
struct ConnectionEnds: Equatable {
    var server: SocketAddress
    var client: SocketAddress
}

/// Attempts to connect to a server that may not listen yet.
struct ConnectionAttempt {
    private let address: SocketAddress

    init(_ address: SocketAddress) { self.address = address }

    /// How an attempt ended.
    enum Outcome: Equatable {
        /// With the user that listens, of a unix socket.
        case connected(ConnectionEnds, user: uid_t?)
        case refused(Errno)
        /// One of the descriptors that end a wait became readable.
        case ended
    }

    /// Connects once, and closes the connection.
    ///
    /// - Parameters:
    ///   - deadline: on the monotonic clock.
    ///   - endings: each ends the wait when it becomes readable.
    func connect(until deadline: UInt64, unless endings: [BorrowedDescriptor]) -> Outcome {
        do throws(Errno) {
            let connection = try StreamSocket(for: address, .nonblocking).connect(to: address)
            var entries = endings.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
            entries.append(pollfd(fd: connection.descriptor.rawValue, events: Int16(POLLOUT), revents: 0))
            while true {
                let now = monotonicNanoseconds()
                let left = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
                let ready = unsafe poll(&entries, nfds_t(entries.count), CInt(clamping: left))
                if ready == 0 { throw .timedOut }
                if ready > 0 { break }
            }
            let isConnected = entries.removeLast().revents != 0
            if entries.contains(where: { $0.revents != 0 }) { return .ended }
            if isConnected, let error = try takeSocketError(of: connection.descriptor) { throw error }
            // The server may have closed it already.
            let server = (try? connection.peerAddress) ?? address
            let ends = ConnectionEnds(server: server, client: try connection.localAddress)
            return .connected(ends, user: PeerCredentials(of: connection.descriptor)?.user)
        } catch {
            return .refused(error)
        }
    }

    /// Connects again and again until somebody listens.
    ///
    /// - Parameter isPatient: false to give up when nobody does.
    func connect(until deadline: UInt64, isPatient: Bool, unless endings: [BorrowedDescriptor]) -> Outcome {
        var pause: CInt = 1
        while true {
            let outcome = connect(until: deadline, unless: endings)
            guard case .refused(let error) = outcome else { return outcome }
            if !isPatient || monotonicNanoseconds() >= deadline || !Self.mayPass.contains(error) { return outcome }
            var entries = endings.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
            if unsafe poll(&entries, nfds_t(entries.count), pause) > 0 { return .ended }
            pause = min(2 * pause, 16)
        }
    }

    /// What is said of an address where nobody listens yet, or not yet to so many.
    private static let mayPass: Set<Errno> = [
        .connectionRefused, .noSuchFileOrDirectory, .resourceTemporarilyUnavailable, .connectionReset,
    ]
}
