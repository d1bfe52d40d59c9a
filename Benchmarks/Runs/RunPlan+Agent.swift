import LinuxSockets
import Load
import Loops
import Meters
import Servers

extension RunPlan {
    /// The same plan whose server's system calls the kernel counts on the agent's machine.
    func counting(by sources: [CallCounter.Source]) -> RunPlan {
        var plan = self
        plan.agentCounters = sources
        return plan
    }

    /// The kernel of the server's machine; nil if it is not known.
    var serverKernel: KernelVersion? {
        agent.map { KernelVersion(release: $0.facts.machine.kernel) } ?? .running
    }

    /// What an agent is asked for; a wake plan has no server.
    var order: ServerOrder? {
        var order: ServerOrder
        switch plan {
        case .network(let server, let load):
            order = ServerOrder(.mode(ModeOrder(server, load.traffic)))
            order.workers = server.workers
            order.port = server.address.port ?? 0
        case .external(let server, _):
            order = ServerOrder(.command(server.name, timeoutNanoseconds: server.timeoutNanoseconds))
            order.workers = server.workers
            order.port = server.address.port ?? 0
        case .wake: return nil
        }
        order.processors = placement.workers
        order.counters = agentCounters
        order.counted = mode == nil ? mostCountedProcesses : mostCountedThreads
        return order
    }

    /// Has the agent start the server.
    func startedRemotely(
        by agent: AgentClient, _ interruption: Interruption
    ) throws(RunError) -> RemoteServer {
        guard let order else { throw RunError(failed: "--workload wake has no server") }
        return try RemoteServer(
            agent, order, prepareSeconds: 60 + load.connectingSeconds, unless: [interruption.descriptor])
    }
}
