/// What the operations of a run are.
package enum Workload: String, Sendable, CaseIterable, Codable {
    /// A connection accepted and closed.
    case accept
    /// A connection made, one request, one reply, closed.
    case crr
    /// A message received, echoed, and received by the client.
    case read
    /// A datagram received, echoed, and received by the client.
    case datagram
    /// A signal from one thread consumed by another.
    case wake
}

/// How the server closes.
package enum CloseStyle: String, Sendable, CaseIterable, Codable {
    /// With a reset, which leaves no TIME_WAIT (`SO_LINGER` 0).
    case reset
    /// With a FIN.
    case orderly
}

/// When a server's connections come.
package enum Arrival: Sendable, Codable {
    /// All of them before its workers start.
    case beforehand
    /// At any time: its loop accepts them.
    case anytime
}

/// What a server has to be ready for: all that client and server must agree on beforehand.
package struct Traffic: Sendable, Codable {
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
    /// What is said.
    package var wire = WireProtocol.echo
    /// Bytes of the longest request that a server has to expect; of an echo the message itself.
    package var requestBytes: Int
    /// What a reply of `bytes` ends with.
    package var replyEnd: [UInt8] = []
    /// When connections come.
    package var arrival: Arrival
    /// Connections beyond ``connections`` are closed as they come; otherwise their clients see to that.
    package var limitsConnections = false

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
        requestBytes = messageBytes
        arrival = workload == .read ? .beforehand : .anytime
    }

    /// True if a connection ends with its first reply.
    package var closesAfterReply: Bool { workload == .crr }

    /// True if messages can come out of order: they carry numbers, and several of a connection are in flight.
    package var ordersMessages: Bool {
        workload == .read && arrival == .beforehand && wire == .echo && depth > 1
            && messageBytes >= MessagePattern.headerBytes
    }

    /// What is read at once: the requests that can be in flight, as long as they fit 64 KiB; at least one, and 16 KiB
    /// where their length is not known beforehand.
    package var chunkBytes: Int {
        let request = max(1, wire == .echo ? messageBytes : requestBytes)
        let whole = max(1, min(depth, 65536 / request)) * request
        return wire.hasFixedLength ? whole : max(whole, 16384)
    }

    /// Bytes of the longest request that is not answered yet.
    package var longestRequestBytes: Int {
        switch wire {
        case .echo: messageBytes
        case .bytes: max(1, requestBytes)
        case .http, .redis, .memcached: chunkBytes
        }
    }
}
