import Glibc
import LinuxDescriptors
import LinuxRings

extension RingLoop {
    /// The result of a request that was cancelled before the kernel was asked for anything; no error has this number.
    static var unasked: Int32 { .min }

    /// Takes a connection that is there, in place of an accept that was cancelled.
    ///
    /// The kernel wakes one accept for each connection. If that one is cancelled before it has taken the connection,
    /// others wait on beside a queue that is not empty. `accept4(2)` would hold up the thread if somebody else was
    /// faster, so it is an accept of the ring whose cancellation follows it.
    ///
    /// - Returns: the connection, or `ECANCELED`.
    nonisolated(nonsending) func acceptWithoutWaiting(_ request: Request) async -> Int32 {
        for _ in 0..<4 {
            if !hasConnection(request.descriptor) { break }
            let name = unsafe operations.pointee.begin(.request)
            let result = await unsafe withUnsafeContinuation { continuation in
                unsafe start(name, request, continuation)
                cancel(name)
            }
            if result >= 0 { return result }
            if result != Self.canceled { break }
        }
        return Self.canceled
    }

    private func hasConnection(_ listener: BorrowedDescriptor) -> Bool {
        var entry = pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0
    }
}
