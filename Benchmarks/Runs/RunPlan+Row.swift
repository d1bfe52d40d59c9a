import Load
import Loops
import Meters
package import Records
import Servers

extension RunRecord {
    /// The row of a run that is planned: what was asked for, and nothing of one run.
    package init(_ plan: RunPlan) {
        self.init()
        workload = plan.workload.rawValue
        mode = plan.name
        pinning = plan.placement.description
        seed = plan.seed
        workers = plan.workerThreads
        clients = plan.isTimer ? nil : plan.clients
        switch plan.plan {
        case .network(let server, let load):
            server.describe(in: &self)
            load.describe(in: &self)
        case .external(_, let load):
            implementation = "external"
            load.describe(in: &self)
            // Whether it closes in order, and how long its replies are, is its own affair.
            close = ""
            if load.conversation.wire != .echo { messageSizeBytes = nil }
        case .wake(let loop, let wake):
            loop.describe(in: &self)
            wake.describe(loop, in: &self)
        }
        if let agent = plan.agent {
            serverMachineId = agent.facts.machine.machineID
            link = agent.link
        }
        loadHosts = plan.loadHosts?.count
        if let objective = plan.objective { (slo, ratePerS) = (objective.text, nil) }
    }
}

extension RunRecord {
    fileprivate mutating func addOption(_ text: String) {
        options = options.isEmpty ? text : options + ";" + text
    }
}

extension LoopPlan {
    fileprivate func describe(in record: inout RunRecord) {
        record.topology = topology.rawValue
        record.implementation = implementation.rawValue
        record.options = mode.options.text
    }
}

extension ServerPlan {
    fileprivate func describe(in record: inout RunRecord) {
        loop.describe(in: &record)
        if defersAccept { record.addOption("defer-accept") }
        record.listener = listener.rawValue
        record.rearm = loop.mode.capabilities.isRearmed ? rearm.rawValue : ""
        record.serviceTime = service.description
        record.service = service == .none ? "" : service.work.rawValue
    }
}

extension LoadPlan {
    fileprivate func describe(in record: inout RunRecord) {
        if opensFast { record.addOption("fast-open") }
        if takesStamps { record.addOption("timestamps") }
        record.connections = connections
        record.ratePerS = ratePerSecond
        record.probeRatePerS = probePerSecond
        record.spacing = ratePerSecond == nil ? "" : spacing.rawValue
        record.drain = queued
        record.protocol = workload == .accept ? "" : conversation.wire.rawValue
        record.request = conversation.summary
        record.tls = tls?.summary ?? ""
        record.thinkTimeNs = thinkNanoseconds == 0 ? nil : thinkNanoseconds
        record.connectRatePerS = connectionsPerSecond
        record.messageSizeBytes = workload == .accept ? nil : messageBytes
        record.depth = [.read, .datagram].contains(workload) ? depth : nil
        record.idle = workload == .read ? idle : nil
        record.close = [.read, .datagram].contains(workload) ? "" : close.rawValue
    }
}

extension WakePlan {
    fileprivate func describe(_ loop: LoopPlan, in record: inout RunRecord) {
        record.close = ""
        record.signal = signal.rawValue
        record.shape = shape.rawValue
        record.placement = shape == .timer ? "" : loop.placement.kind
        guard shape == .pool else { return }
        record.descriptors = descriptors.rawValue
        record.producers = producers
        record.consumers = consumers
        record.tasks = tasks
        record.live = live ? "live" : ""
    }
}

extension Placement {
    /// Whether the two sides share a processor: the `placement` column.
    fileprivate var kind: String {
        if workers.isEmpty && clients.isEmpty { return "unpinned" }
        return Set(workers + clients).count == 1 ? "same-cpu" : "different-cpus"
    }
}
