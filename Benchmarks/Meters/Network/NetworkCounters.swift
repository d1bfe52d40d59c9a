/// What the network of this host counts: segments of TCP that were sent again, and packets that it dropped on the way to
/// a socket. All programs of the calling thread's network namespace are in it.
///
/// What this kernel does not count, or what cannot be read, is missing.
package struct NetworkCounters: Sendable, Equatable, Codable {
    /// Segments of TCP that were sent again (`Tcp RetransSegs`).
    package var retransmissions: UInt64?
    /// What sockets dropped, by ``NetworkDrop/rawValue``.
    package var sockets: [String: UInt64] = [:]
    /// What the queues between interrupt and protocols dropped (`/proc/net/softnet_stat`), of all interfaces of the machine.
    package var softnet: UInt64?
    /// What each interface dropped or found damaged, either way (`/proc/net/dev`).
    package var interfaces: [String: UInt64] = [:]

    /// Nothing is known.
    package init() {}

    /// Reads them now.
    package static func read(folder: String = networkFolder) -> NetworkCounters {
        NetworkCounters(ProtocolCounters.read(wanted, folder: folder), folder: folder)
    }

    /// What ``init(_:folder:)`` takes of the counters of the protocols.
    static let wanted = Set([retransmissions] + NetworkDrop.allCases.flatMap(\.counters))
    private static let retransmissions = "Tcp RetransSegs"

    /// Takes counters of the protocols that were read already, and reads the others.
    init(_ protocols: ProtocolCounters, folder: String = networkFolder) {
        retransmissions = protocols[Self.retransmissions]
        for drop in NetworkDrop.allCases {
            let counts = drop.counters.compactMap { protocols[$0] }
            if !counts.isEmpty { sockets[drop.rawValue] = counts.reduce(0, &+) }
        }
        softnet = Self.softnet(readLines(folder + "/softnet_stat"))
        interfaces = Self.interfaces(readLines(folder + "/dev"))
    }

    /// A line for each processor, in hexadecimal; the second number is what its queue had no room for.
    static func softnet(_ lines: [Substring]) -> UInt64? {
        let counts = lines.compactMap { line in
            line.split(separator: " ").dropFirst().first.flatMap { UInt64($0, radix: 16) }
        }
        return counts.isEmpty ? nil : counts.reduce(0, &+)
    }

    /// Behind the interface's name eight numbers of what was received and eight of what was sent, errors and drops third and
    /// fourth of each.
    static func interfaces(_ lines: [Substring]) -> [String: UInt64] {
        lines.reduce(into: [:]) { table, line in
            guard let colon = line.lastIndex(of: ":") else { return }
            let numbers = line[line.index(after: colon)...].split(separator: " ").map { UInt64($0) ?? 0 }
            guard numbers.count >= 16 else { return }
            table[line[..<colon].filter { $0 != " " }] = numbers[2] &+ numbers[3] &+ numbers[10] &+ numbers[11]
        }
    }

    /// What came to pass since an earlier reading; of what only one of them has, nothing.
    package func since(_ earlier: NetworkCounters) -> NetworkCounters {
        func growth(_ now: [String: UInt64], _ before: [String: UInt64]) -> [String: UInt64] {
            now.reduce(into: [:]) { table, entry in
                if let start = before[entry.key] { table[entry.key] = entry.value &- min(start, entry.value) }
            }
        }
        var difference = NetworkCounters()
        difference.retransmissions = retransmissions.flatMap { now in
            earlier.retransmissions.map { now &- min($0, now) }
        }
        difference.sockets = growth(sockets, earlier.sockets)
        difference.softnet = softnet.flatMap { now in earlier.softnet.map { now &- min($0, now) } }
        difference.interfaces = growth(interfaces, earlier.interfaces)
        return difference
    }

    /// What was dropped on the way over an interface, what dropped most first; nil where nothing is known.
    ///
    /// What finds the queue between interrupt and protocols full is counted there and by its interface, and here once.
    ///
    /// - Parameter interface: drops of the others are somebody else's; nil of a load that goes over none.
    package func drops(on interface: String?) -> [(drop: NetworkDrop, count: UInt64)]? {
        guard !sockets.isEmpty || softnet != nil || !interfaces.isEmpty else { return nil }
        let queued = softnet ?? 0
        let dropped = interface.flatMap { interfaces[$0] } ?? 0
        var counts: [(drop: NetworkDrop, count: UInt64)] = [
            (.softnet, queued), (.interface, dropped - min(queued, dropped)),
        ]
        for drop in NetworkDrop.allCases {
            if let count = sockets[drop.rawValue] { counts.append((drop, count)) }
        }
        return counts.filter { $0.count > 0 }.sorted { $0.count > $1.count }
    }
}

/// Where a packet can be dropped on its way to a socket of this host.
package enum NetworkDrop: String, Sendable, CaseIterable {
    /// The listener had no room for a connection, or for one more in the making.
    case listener = "listen queue"
    /// A connection's receive buffer was full.
    case receiveBuffer = "TCP receive buffer"
    /// What came while a thread held the socket found no room.
    case backlog = "TCP socket backlog"
    /// It lay beyond what the receiver had asked for.
    case window = "edge of the TCP window"
    case datagramReceive = "UDP receive buffer"
    case datagramSend = "UDP send buffer"
    /// The queue between interrupt and protocols, of one processor.
    case softnet = "softnet backlog"
    /// The card, its driver, or its queue.
    case interface = "interface"

    /// The counters whose sum it is, as ``ProtocolCounters`` names them; a kernel may lack the younger ones.
    var counters: [String] {
        switch self {
        case .listener: ["TcpExt ListenDrops"]
        case .receiveBuffer: ["TcpExt TCPRcvQDrop", "TcpExt TCPZeroWindowDrop", "TcpExt TCPOFODrop"]
        case .backlog: ["TcpExt TCPBacklogDrop"]
        case .window: ["TcpExt BeyondWindow"]
        case .datagramReceive: ["Udp RcvbufErrors", "Udp6RcvbufErrors"]
        case .datagramSend: ["Udp SndbufErrors", "Udp6SndbufErrors"]
        case .softnet, .interface: []
        }
    }

    /// What to do about it.
    package var remedy: String {
        switch self {
        case .listener: "raise net.core.somaxconn, or lower --connections or --rate"
        case .receiveBuffer, .window: "raise net.ipv4.tcp_rmem, or lower --depth or --message-size"
        case .backlog: "raise net.ipv4.tcp_rmem and net.core.rmem_max, or lower --depth"
        case .datagramReceive: "raise net.core.rmem_default, or lower --depth, --connections or --rate"
        case .datagramSend: "raise net.core.wmem_default, or lower --depth or --message-size"
        case .softnet: "raise net.core.netdev_max_backlog, or spread packets over more processors (RPS)"
        case .interface: "see what dropped them (ip -s -s link, ethtool -S), and lengthen its queues (ethtool -G)"
        }
    }
}
