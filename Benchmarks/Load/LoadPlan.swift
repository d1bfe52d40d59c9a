package import Meters

/// What decides what the clients of a run do.
package struct LoadPlan: Sendable, Codable {
    /// What the operations are.
    package var workload: Workload
    /// Client threads of each host that loads.
    package var clients = 1
    /// Which part of the load is this process's; what else is said here is of the whole load.
    package var part = LoadPart()
    /// Connections that the clients hold open at the most, all together.
    package var connections = 64
    /// Connections that are watched and never speak.
    package var idle = 0
    /// Bytes of a message.
    package var messageBytes = 64
    /// Messages in flight on a connection at the most.
    package var depth = 1
    /// How the server closes.
    package var close = CloseStyle.reset
    /// What is asked.
    package var conversation = Conversation()
    /// The first bytes of a connection go with its SYN, to who has been there before (`TCP_FASTOPEN_CONNECT`).
    package var opensFast = false
    /// Replies are received with the time at which the kernel got them (`SO_TIMESTAMPING`); not with TLS.
    package var takesStamps = false
    /// What connections speak below it; nil of plain ones.
    package var tls: TLSContext?
    /// New connections per second at the most, of all clients together; nil without a limit.
    package var connectionsPerSecond: Double?
    /// Time between an answer and the next operation of the same connection in a closed loop, in nanoseconds.
    package var thinkNanoseconds: UInt64 = 0
    /// Operations a second of a probe, whose latencies alone are taken; nil without one.
    package var probePerSecond: Double?
    /// When operations start.
    package var pace = Pace.closedLoop
    /// How the starts of an open loop are spread.
    package var spacing = Spacing.uniform

    /// Without ``tls``, which is made anew on each host.
    private enum CodingKeys: String, CodingKey {
        case workload, clients, part, connections, idle, messageBytes, depth, close, conversation, opensFast
        case connectionsPerSecond, thinkNanoseconds, probePerSecond, pace, spacing, takesStamps
    }

    /// One client thread with 64 connections in a closed loop.
    package init(_ workload: Workload) {
        self.workload = workload
    }

    /// When operations start.
    package enum Pace: Sendable, Equatable, Codable {
        /// A new one as soon as an old one is done.
        case closedLoop
        /// One every 1/rate seconds, whatever the server does.
        case openLoop(perSecond: Double)
        /// So many connections are queued before the workers start.
        case drain(Int)
    }

    /// How the starts of an open loop are spread.
    package enum Spacing: String, Sendable, CaseIterable, Codable {
        /// At equal intervals.
        case uniform
        /// At exponentially distributed intervals, as independent clients come.
        case poisson
    }

    /// Operations due in a second; nil if they have no schedule.
    package var ratePerSecond: Double? {
        if case .openLoop(let rate) = pace { rate } else { nil }
    }

    /// Connections that are queued before the workers start; nil if none are.
    package var queued: Int? {
        if case .drain(let count) = pace { count } else { nil }
    }

    /// What a server has to be ready for.
    package var traffic: Traffic {
        var traffic = Traffic(
            workload, connections: (queued ?? connections) + probeConnections, idle: idle, messageBytes: messageBytes,
            depth: depth,
            close: close)
        traffic.wire = conversation.wire
        if let longest = conversation.requests.map(\.bytes.count).max() { traffic.requestBytes = longest }
        if conversation.wire == .bytes {
            switch conversation.replyEnd {
            case .count(let count): traffic.messageBytes = count
            case .text(let text): traffic.replyEnd = text
            }
        }
        return traffic
    }
}
