import LinuxRings
package import Loops
import Load
import Meters

/// What a run needs of the machine.
extension RunPlan {
    /// Descriptors that one side opens at the most; either side has a table of its own.
    package var descriptorsNeeded: Int {
        // With both sides elsewhere only what is said to them needs some.
        if let loadHosts, agent != nil || mode == nil { return 2 * loadHosts.count + 64 }
        return switch plan {
        case .network(_, let load) where agent != nil: load.clientDescriptors
        case .network(let server, let load): server.descriptorsNeeded(for: load.traffic) + 2 * load.clients
        case .external(_, let load): load.clientDescriptors
        case .wake(_, let wake): wake.descriptorsNeeded
        }
    }

    /// The option for which most of them are needed.
    package var mostDescriptorsFor: String {
        switch plan {
        case .wake(_, let wake): return wake.descriptors == .perWorker ? "--consumers" : "--producers"
        case .external(_, let load): return load.idle > load.connections ? "--idle" : "--connections"
        case .network(_, let load) where agent != nil: return load.idle > load.connections ? "--idle" : "--connections"
        case .network(let server, let load):
            let traffic = load.traffic
            let isThreadEach = workerThreads > server.workers
            let terms = [
                (load.mostOpenOption, traffic.connections), ("--idle", traffic.idle),
                (isThreadEach ? load.mostOpenOption : "--workers", server.descriptorsPerWorker * workerThreads),
                ("--clients", 2 * load.clients),
            ]
            return terms.max { $0.1 < $1.1 }?.0 ?? load.mostOpenOption
        }
    }

    /// About as many bytes as the tables take that have room for a message of each connection.
    package var messageTableBytes: UInt64 {
        guard case .network(let server, let load) = plan, ![.accept, .datagram].contains(load.workload) else {
            return 0
        }
        // Servers look connections up by descriptor, and a client's descriptors may come before its own.
        let places = UInt64(2 * descriptorsNeeded + 256)
        let message = UInt64(load.traffic.longestRequestBytes)
        let client = UInt64(load.connections) * message
        let mode = server.loop.mode.capabilities
        let workers = UInt64(server.workers)
        let tables = places * message * (mode.hasOwnTable ? workers + 1 : 1)
        let buffers = mode.hasBufferPerConnection ? places * UInt64(load.traffic.chunkBytes) * workers : 0
        return tables + buffers + client
    }

    /// Why the running kernel cannot do it; nil if it can.
    ///
    /// - Parameter rings: what probing io_uring said.
    package func unsupportedReason(rings: RingSupport) -> String? {
        switch plan {
        // Its agent knows.
        case .network where agent != nil: nil
        case .network(let server, let load): server.loop.mode.unsupportedReason(rings: rings, for: load.workload)
        case .external: nil
        case .wake(let loop, let wake): wake.unsupportedReason(rings: rings, in: loop.mode)
        }
    }
}

extension LoadPlan {
    /// The option that decides how many connections can be open at once.
    var mostOpenOption: String { queued == nil ? "--connections" : "--drain" }
}

extension LoadPlan {
    /// Descriptors of its clients.
    fileprivate var clientDescriptors: Int { connections + probeConnections + idle + 2 * threads + 64 }
}
