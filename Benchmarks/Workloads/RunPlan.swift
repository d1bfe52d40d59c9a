import LinuxDescriptors
import LinuxRings
public import LinuxSockets
public import Meters

/// What the operations of a run are.
public enum Workload: String, Sendable, CaseIterable {
    /// A connection accepted and closed.
    case accept
    /// A connection made, one request, one reply, closed.
    case crr
    /// A message received, echoed, and received by the client.
    case read
    /// A signal from one thread consumed by another.
    case wake
}

/// All that decides what one run does.
public struct RunPlan: Sendable {
    /// What the operations are.
    public var workload: Workload
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
    /// Bytes of a message.
    public var messageBytes: Int
    /// Messages in flight on a connection at the most.
    public var depth: Int
    /// Connections that are watched and never speak.
    public var idle: Int
    /// When operations start.
    public var load: Load
    /// How the starts of an open loop are spread.
    public var spacing: Spacing
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
    /// Why this machine has no room for it, known before it runs; nil if it has.
    public var refusal: String?
    /// Counts the workers' system calls in the kernel; nil in a run whose times are measured.
    public var calls: CallCounter?
    /// What is signalled, if that is the workload.
    public var wake = WakePlan()

    /// When operations start.
    public enum Load: Sendable, Equatable {
        /// A new one as soon as an old one is done.
        case closedLoop
        /// One every 1/rate seconds, whatever the server does.
        case openLoop(perSecond: Double)
        /// So many connections are queued before the workers start.
        case drain(Int)

        /// True if operations have a schedule.
        var isOpen: Bool {
            if case .openLoop = self { true } else { false }
        }
    }

    /// How the starts of an open loop are spread.
    public enum Spacing: String, Sendable, CaseIterable {
        /// At equal intervals.
        case uniform
        /// At exponentially distributed intervals, as independent clients come.
        case poisson
    }

    /// When a one-shot registration is armed again.
    public enum Rearm: String, Sendable, CaseIterable {
        /// Right after the accept or the receive: another worker can be woken while this one serves.
        case early
        /// After the connection was served, and its reply sent.
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

    /// Takes a mode with its defaults: closed loop, one worker, one client, 64 connections, 1 s, nothing pinned; a one-shot
    /// registration is armed again early when accepting, and late where a stream's order would suffer.
    public init(_ workload: Workload = .accept, mode: Mode) {
        self.workload = workload
        self.mode = mode
        topology = mode.topologies[0]
        listener = .shared
        workers = 1
        clients = 1
        connections = 64
        messageBytes = 64
        depth = 1
        idle = 0
        load = .closedLoop
        spacing = .uniform
        service = .none
        rearm = workload == .accept ? .early : .late
        close = .reset
        implementation = .swift
        warmupNanoseconds = 200_000_000
        durationNanoseconds = 1_000_000_000
        placement = .unpinned
        address = .loopback()
        seed = 1
    }

    /// True if the two differ in nothing that decides what is run: a mode may ignore the number of workers.
    public func isSameArm(as other: RunPlan) -> Bool {
        mode.name == other.mode.name && topology == other.topology && listener == other.listener
            && workerThreads == other.workerThreads && connections == other.connections && rearm == other.rearm
            && implementation == other.implementation
    }

    /// Server threads: where a thread waits in the read itself, each connection needs one, an idle one too.
    public var workerThreads: Int {
        workload == .read && mode.mechanism == .blocking ? connections + idle : workers
    }

    /// True if two workers can be told of the same connection at the same time.
    var sharesConnections: Bool {
        guard topology == .sharedSet else { return false }
        switch mode.mechanism {
        case .epoll: return true
        case .epollOneShot: return rearm == .early
        default: return false
        }
    }

    /// Connections that can wait to be accepted at the same moment.
    public var outstanding: Int {
        if case .drain(let count) = load { count } else { connections }
    }

    /// The option that decides it.
    var mostOpenOption: String {
        if case .drain = load { "--drain" } else { "--connections" }
    }

    /// Descriptors that one side opens at the most; either side has a table of its own.
    public var descriptorsNeeded: Int {
        if workload == .wake { return wake.descriptorsNeeded }
        return outstanding + idle + 3 * workerThreads + 2 * clients + 64
    }

    /// The option for which most of them are needed.
    public var mostDescriptorsFor: String {
        if workload == .wake { return wake.descriptors == .perWorker ? "--consumers" : "--producers" }
        var open = "--connections"
        if case .drain = load { open = "--drain" }
        let isThreadEach = workerThreads > workers
        let terms = [
            (open, outstanding), ("--idle", idle), (isThreadEach ? open : "--workers", 3 * workerThreads),
            ("--clients", 2 * clients),
        ]
        return terms.max { $0.1 < $1.1 }?.0 ?? open
    }

    /// True if messages can come out of order: they carry numbers, and several of a connection are in flight.
    var ordersMessages: Bool {
        workload == .read && depth > 1 && messageBytes >= MessagePattern.headerBytes
    }

    /// Slots of a ring's own table, twice what can be open: one is free again only when its close has been carried out.
    var slotCount: UInt32 {
        let limit = (try? DescriptorLimit.current().soft) ?? 1024
        return UInt32(clamping: min(UInt(max(2 * (outstanding + idle), 256)), limit))
    }

    /// Seconds that a run takes at the most, unless its threads wait for each other.
    public var longestSeconds: Double {
        let grace = Double(RunWindow.graceNanoseconds) / 1e9
        let window = Double(warmupNanoseconds + durationNanoseconds) / 1e9 + grace
        if workload == .wake {
            // A pool has no time but as many tasks as asked for; it is stuck when none is done for half a minute.
            return wake.shape == .pool ? 60 + Double(wake.tasks) / 1000 : window
        }
        if case .drain(let count) = load { return 6 * grace + Double(count) / 1000 }
        // All connections of a read are made beforehand, within half a minute.
        return workload == .read ? window + 60 : window
    }

    /// Threads that run at the most, the one that waits for the others included.
    public var threadsNeeded: Int { workerThreads + clients + 2 }

    /// About as many bytes as the tables take that have room for a message of each connection.
    public var messageTableBytes: UInt64 {
        guard workload == .read || workload == .crr else { return 0 }
        // Servers look connections up by descriptor, and a client's descriptors may come before its own.
        let places = UInt64(2 * descriptorsNeeded + 256)
        let message = UInt64(messageBytes)
        let client = UInt64(connections) * message
        return switch mode.mechanism {
        case .ringMultishot(.slots): places * message * UInt64(workers + 1) + client
        case .ringSingle: places * (message + UInt64(chunkBytes) * UInt64(workers)) + client
        default: places * message + client
        }
    }

    /// What is read at once: the messages that can be in flight, as long as they fit 64 KiB; at least one.
    var chunkBytes: Int {
        max(1, min(depth, 65536 / messageBytes)) * messageBytes
    }
}
