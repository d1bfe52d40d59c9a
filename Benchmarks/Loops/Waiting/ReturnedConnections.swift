import LinuxDescriptors
import LinuxReadiness
import Synchronization
import SystemPackage

/// Connections that workers give back to the ring that polls them: to be polled again, or to be closed, since a poll that
/// is armed keeps a file open.
final class ReturnedConnections: Sendable {
    /// What is to become of a connection.
    enum Wish: Sendable {
        case poll
        case close
    }

    private let signal: EventFD
    private let waiting = Mutex<[(fd: CInt, wish: Wish)]>([])

    init() throws(Errno) {
        signal = try EventFD()
    }

    /// Readable while there are some; borrowed.
    var descriptor: BorrowedDescriptor { signal.descriptor }

    /// Gives one back, and tells the ring.
    func put(_ fd: CInt, _ wish: Wish) throws(Errno) {
        waiting.withLock { $0.append((fd, wish)) }
        try signal.add()
    }

    /// Takes all, and the signal before them: what comes later signals again.
    func take() throws(Errno) -> [(fd: CInt, wish: Wish)] {
        _ = try signal.take()
        return waiting.withLock { all in
            defer { all = [] }
            return all
        }
    }
}
