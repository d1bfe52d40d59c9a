/// What the kernel counted of a server's threads so far, beside their system calls.
package struct ServerActivity: Sendable, Equatable, Codable {
    /// Times that one of them was woken.
    package var wakeups: UInt64
    /// Of each thread that is there, by its number.
    var threads: [Int32: Completed]

    /// Calls of one thread that brought something.
    struct Completed: Sendable, Equatable, Codable {
        /// Reads and receives of at least a byte, of sockets and of anything else.
        var reads: UInt64
        /// Connections.
        var accepts: UInt64
    }

    /// What was counted between two readings; of threads that are still there.
    package static func - (later: ServerActivity, earlier: ServerActivity) -> ServerActivity {
        var difference = later
        difference.wakeups -= earlier.wakeups
        for (thread, before) in earlier.threads {
            guard let now = later.threads[thread], now.reads >= before.reads else { continue }
            difference.threads[thread] = Completed(
                reads: now.reads - before.reads, accepts: now.accepts - min(before.accepts, now.accepts))
        }
        return difference
    }

    /// Calls of each thread that brought bytes.
    package var readsByThread: [UInt64] { threads.values.map(\.reads) }

    /// Connections that each thread accepted.
    package var acceptsByThread: [UInt64] { threads.values.map(\.accepts) }
}
