public import LinuxSockets

/// All that decides what one run does.
public struct RunPlan: Sendable {
    /// How the server waits.
    public var mode: Mode
    /// What the workers share.
    public var topology: Topology
    /// How many listening sockets there are.
    public var listener: ListenerSharing
    /// Server threads.
    public var workers: Int
    /// Client threads.
    public var clients: Int
    /// Connections that the clients hold open at the most, all together.
    public var connections: Int
    /// Where new connections come from.
    public var load: Load
    /// How long a worker is busy with a connection.
    public var service: ServiceTime
    /// When a one-shot registration is armed again.
    public var rearm: Rearm
    /// How the server closes.
    public var close: CloseStyle
    /// Whose loop runs.
    public var implementation: Implementation
    /// Unmeasured time at the start, in nanoseconds.
    public var warmupNanoseconds: UInt64
    /// Measured time, in nanoseconds.
    public var durationNanoseconds: UInt64
    /// Which thread runs where.
    public var placement: Placement
    /// Where to listen; port 0 lets the kernel choose.
    public var address: SocketAddress
    /// Seeds the service times.
    public var seed: UInt64

    /// Where new connections come from.
    public enum Load: Sendable, Equatable {
        /// A new one as soon as an old one is done.
        case closedLoop
        /// One every 1/rate seconds, whatever the server does.
        case openLoop(perSecond: Double)
        /// So many are queued before the workers start.
        case drain(Int)
    }

    /// When a one-shot registration is armed again.
    public enum Rearm: String, Sendable, CaseIterable {
        /// Right after the accept: another worker can be woken while this one serves.
        case early
        /// After the connection was served.
        case late
    }

    /// How the server closes.
    public enum CloseStyle: String, Sendable, CaseIterable {
        /// With a reset, which leaves no TIME_WAIT (`SO_LINGER` 0).
        case reset
        /// With a FIN.
        case orderly
    }

    /// Whose loop runs.
    public enum Implementation: String, Sendable, CaseIterable {
        /// The loops of this module.
        case swift
        /// The loops of `Benchmarks/Reference`.
        case c
    }

    /// Takes a mode with its defaults: closed loop, one worker, one client, 64 connections, 1 s, nothing pinned.
    public init(mode: Mode) {
        self.mode = mode
        topology = mode.topologies[0]
        listener = .shared
        workers = 1
        clients = 1
        connections = 64
        load = .closedLoop
        service = .none
        rearm = .early
        close = .reset
        implementation = .swift
        warmupNanoseconds = 200_000_000
        durationNanoseconds = 1_000_000_000
        placement = .unpinned
        address = .loopback()
        seed = 1
    }

    /// Connections that can be open or queued at the same moment.
    public var outstanding: Int {
        if case .drain(let count) = load { count } else { connections }
    }

    /// Descriptors that the run opens at the most: both ends of each connection, listeners, sets and rings.
    public var descriptorsNeeded: Int {
        2 * outstanding + 3 * workers + 2 * clients + 64
    }
}
