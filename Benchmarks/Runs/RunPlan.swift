package import LinuxSockets
package import Load
package import Loops
package import Meters
package import Records
package import Servers

/// What is run.
package enum Plan: Sendable {
    /// Clients and a server of our loops.
    case network(ServerPlan, LoadPlan)
    /// Clients and somebody else's server.
    case external(ExternalServer, LoadPlan)
    /// Threads that wake each other.
    case wake(LoopPlan, WakePlan)
}

/// All that decides what one run does.
package struct RunPlan: Sendable {
    /// What is run.
    package var plan: Plan
    /// Unmeasured time at the start, in nanoseconds.
    package var warmupNanoseconds: UInt64 = 200_000_000
    /// Measured time, in nanoseconds.
    package var durationNanoseconds: UInt64 = 1_000_000_000
    /// What a search for the highest rate must keep, instead of one rate; nil where none is searched for.
    package var objective: ServiceObjective?
    /// Who runs the server on another machine; nil where it runs here.
    package var agent: AgentClient?
    /// Who counts system calls there; nobody in a run whose times are measured.
    var agentCounters: [CallCounter.Source] = []
    /// The hosts that load instead of this process; nil where it loads.
    package var loadHosts: LoadHosts?
    /// Why the limits of this machine do not allow it, known before it runs; nil if they do.
    package var refusal: String?

    /// Takes a mode with its defaults.
    package init(_ workload: Workload = .accept, mode: Mode) {
        plan =
            workload == .wake
            ? .wake(LoopPlan(mode: mode), WakePlan()) : .network(ServerPlan(workload, mode: mode), LoadPlan(workload))
    }

    /// The server of our loops; of a network plan alone.
    package var server: ServerPlan {
        get { network.0 }
        set { plan = .network(newValue, network.1) }
    }

    /// Somebody else's server; of an external plan alone.
    package var external: ExternalServer {
        get {
            guard case .external(let server, _) = plan else { preconditionFailure("not an external plan") }
            return server
        }
        set { plan = .external(newValue, load) }
    }

    /// The clients; a wake plan has none.
    package var load: LoadPlan {
        get {
            guard let load = networkLoad else { preconditionFailure("a wake plan") }
            return load
        }
        set {
            switch plan {
            case .network(let server, _): plan = .network(server, newValue)
            case .external(let server, _): plan = .external(server, newValue)
            case .wake: preconditionFailure("a wake plan")
            }
        }
    }

    /// What clients load a server with; nil in a wake plan, which has no network.
    package var networkLoad: LoadPlan? {
        switch plan {
        case .network(_, let load), .external(_, let load): load
        case .wake: nil
        }
    }

    /// The threads of a wake plan; a network plan has none.
    package var wake: WakePlan {
        get {
            guard case .wake(_, let wake) = plan else { preconditionFailure("not a wake plan") }
            return wake
        }
        set { plan = .wake(loop, newValue) }
    }

    private var network: (ServerPlan, LoadPlan) {
        guard case .network(let server, let load) = plan else { preconditionFailure("not a network plan") }
        return (server, load)
    }

    /// How the threads of our loops wait, with whose code, and where they run; an external plan has none.
    package var loop: LoopPlan {
        get {
            guard let loop = ownLoop else { preconditionFailure("an external plan") }
            return loop
        }
        set {
            switch plan {
            case .network: server.loop = newValue
            case .wake(_, let wake): plan = .wake(newValue, wake)
            case .external: preconditionFailure("an external plan")
            }
        }
    }

    /// The loop of ours that is measured; nil in an external plan.
    private var ownLoop: LoopPlan? {
        switch plan {
        case .network(let server, _): server.loop
        case .wake(let loop, _): loop
        case .external: nil
        }
    }

    /// How the measured threads wait; nil for somebody else's server.
    package var mode: Mode? { ownLoop?.mode }

    /// What rows call it: the mode, or the name of somebody else's server.
    package var name: String { mode?.name ?? external.name }

    /// Where threads run.
    package var placement: Placement { ownLoop?.placement ?? external.placement }

    /// Seeds everything that is drawn.
    package var seed: UInt64 { ownLoop?.seed ?? external.seed }

    /// The same plan whose server's system calls the kernel counts.
    func counting(_ calls: CallCounter) -> RunPlan {
        var plan = self
        if ownLoop == nil { plan.external.calls = calls } else { plan.loop.calls = calls }
        return plan
    }

    /// Whether the kernel counts its system calls, so that its times are of no use.
    var isCounting: Bool {
        if !agentCounters.isEmpty { return true }
        return mode == nil ? external.calls != nil : loop.calls != nil
    }

    /// What the operations are.
    package var workload: Workload {
        switch plan {
        case .network(_, let load), .external(_, let load): load.workload
        case .wake: .wake
        }
    }

    /// Threads whose operations are counted.
    package var workerThreads: Int {
        switch plan {
        case .network(let server, let load): server.workerThreads(for: load.traffic)
        case .external(let server, _): server.workers
        case .wake(_, let wake): wake.workerThreads
        }
    }

    /// Threads on the other side.
    package var clients: Int {
        switch plan {
        case .network(_, let load), .external(_, let load): load.clients
        case .wake(_, let wake): wake.clientThreads
        }
    }

    /// True of a wake plan in which a time wakes, and no other thread.
    package var isTimer: Bool { if case .wake(_, let wake) = plan { wake.shape == .timer } else { false } }

    /// How long the connections that are made beforehand may take, in nanoseconds.
    var connectTimeoutNanoseconds: UInt64 {
        if case .external(let server, _) = plan { server.timeoutNanoseconds } else { 60_000_000_000 }
    }

    /// Where clients reach the server, its port aside; nil in a wake plan.
    package var serverAddress: SocketAddress? {
        switch plan {
        case .network(let server, _): server.address
        case .external(let server, _): server.address
        case .wake: nil
        }
    }

    /// Operations due in a second; nil if they have no schedule.
    var ratePerSecond: Double? { networkLoad?.ratePerSecond }

    /// Seconds that a run takes at the most, unless its threads wait for each other.
    package var longestSeconds: Double {
        let grace = Double(RunWindow.graceNanoseconds) / 1e9
        let window = Double(warmupNanoseconds + durationNanoseconds) / 1e9 + grace
        switch plan {
        case .wake(_, let wake):
            // A pool has no time but as many tasks as asked for; it is stuck when none is done for half a minute.
            return wake.shape == .pool ? 60 + Double(wake.tasks) / 1000 : window
        case .external(let server, let load):
            // It may take that long to listen, and its connections are made beforehand.
            return window + Double(server.timeoutNanoseconds) / 1e9 + load.connectingSeconds + 60
        case .network(_, let load):
            // Each wait for an agent has a limit of its own.
            let asking = agent == nil ? 0.0 : 120
            if let count = load.queued { return asking + 6 * grace + Double(count) / 1000 }
            // All connections of a read are made beforehand, within half a minute.
            return asking + (load.workload == .read ? window + 60 + load.connectingSeconds : window)
        }
    }

    /// Threads that run at the most, the one that waits for the others included.
    package var threadsNeeded: Int { (mode == nil || agent != nil ? 0 : workerThreads) + clients + 2 }
}

extension LoadPlan {
    /// Seconds that the pace of connecting takes.
    var connectingSeconds: Double { connectionsPerSecond.map { Double(connections + idle) / $0 } ?? 0 }
}
