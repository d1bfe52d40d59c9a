package import Load
package import Loops
package import Meters

/// What is run.
package enum Plan: Sendable {
    /// Clients and a server.
    case network(ServerPlan, LoadPlan)
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
    /// Why the limits of this machine do not allow it, known before it runs; nil if they do.
    package var refusal: String?

    /// Takes a mode with its defaults.
    package init(_ workload: Workload = .accept, mode: Mode) {
        plan =
            workload == .wake
            ? .wake(LoopPlan(mode: mode), WakePlan()) : .network(ServerPlan(workload, mode: mode), LoadPlan(workload))
    }

    /// The server; a wake plan has none.
    package var server: ServerPlan {
        get { network.0 }
        set { plan = .network(newValue, network.1) }
    }

    /// The clients of a network plan; a wake plan has none.
    package var load: LoadPlan {
        get { network.1 }
        set { plan = .network(network.0, newValue) }
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

    /// How the measured threads wait, with whose code, and where they run.
    package var loop: LoopPlan {
        get {
            switch plan {
            case .network(let server, _): server.loop
            case .wake(let loop, _): loop
            }
        }
        set {
            switch plan {
            case .network: server.loop = newValue
            case .wake(_, let wake): plan = .wake(newValue, wake)
            }
        }
    }

    /// How the measured threads wait.
    package var mode: Mode { loop.mode }

    /// What the operations are.
    package var workload: Workload {
        switch plan {
        case .network(_, let load): load.workload
        case .wake: .wake
        }
    }

    /// Threads whose operations are counted.
    package var workerThreads: Int {
        switch plan {
        case .network(let server, let load): server.workerThreads(for: load.traffic)
        case .wake(_, let wake): wake.workerThreads
        }
    }

    /// Threads on the other side.
    package var clients: Int {
        switch plan {
        case .network(_, let load): load.clients
        case .wake(_, let wake): wake.clientThreads
        }
    }

    /// Operations due in a second; nil if they have no schedule.
    var ratePerSecond: Double? {
        if case .network(_, let load) = plan { load.ratePerSecond } else { nil }
    }

    /// Seconds that a run takes at the most, unless its threads wait for each other.
    package var longestSeconds: Double {
        let grace = Double(RunWindow.graceNanoseconds) / 1e9
        let window = Double(warmupNanoseconds + durationNanoseconds) / 1e9 + grace
        switch plan {
        case .wake(_, let wake):
            // A pool has no time but as many tasks as asked for; it is stuck when none is done for half a minute.
            return wake.shape == .pool ? 60 + Double(wake.tasks) / 1000 : window
        case .network(_, let load):
            if let count = load.queued { return 6 * grace + Double(count) / 1000 }
            // All connections of a read are made beforehand, within half a minute.
            return load.workload == .read ? window + 60 : window
        }
    }

    /// Threads that run at the most, the one that waits for the others included.
    package var threadsNeeded: Int { workerThreads + clients + 2 }
}
