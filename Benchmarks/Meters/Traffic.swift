/// What the operations of a run are.
package enum Workload: String, Sendable, CaseIterable {
    /// A connection accepted and closed.
    case accept
    /// A connection made, one request, one reply, closed.
    case crr
    /// A message received, echoed, and received by the client.
    case read
    /// A signal from one thread consumed by another.
    case wake
}

/// How the server closes.
package enum CloseStyle: String, Sendable, CaseIterable {
    /// With a reset, which leaves no TIME_WAIT (`SO_LINGER` 0).
    case reset
    /// With a FIN.
    case orderly
}

/// What a server has to be ready for: all that client and server must agree on beforehand.
package struct Traffic: Sendable {
    /// What the operations are.
    package var workload: Workload
    /// Connections that can be open, or wait to be accepted, at the same moment; idle ones not included.
    package var connections: Int
    /// Connections that are watched and never speak.
    package var idle: Int
    /// Bytes of a message.
    package var messageBytes: Int
    /// Messages in flight on a connection at the most.
    package var depth: Int
    /// How the server closes.
    package var close: CloseStyle

    /// Takes what both sides know.
    package init(
        _ workload: Workload, connections: Int, idle: Int = 0, messageBytes: Int = 64, depth: Int = 1,
        close: CloseStyle = .reset
    ) {
        self.workload = workload
        self.connections = connections
        self.idle = idle
        self.messageBytes = messageBytes
        self.depth = depth
        self.close = close
    }

    /// True if messages can come out of order: they carry numbers, and several of a connection are in flight.
    package var ordersMessages: Bool {
        workload == .read && depth > 1 && messageBytes >= MessagePattern.headerBytes
    }

    /// What is read at once: the messages that can be in flight, as long as they fit 64 KiB; at least one.
    package var chunkBytes: Int {
        max(1, min(depth, 65536 / messageBytes)) * messageBytes
    }
}
