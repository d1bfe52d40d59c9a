import LinuxDescriptors
import LinuxSockets
import Load
import Meters
import Loops
import Runs
import Servers

/// What is checked before anything runs, so that a run does not fail halfway for a reason known beforehand.
extension Arms {
    /// Raises the descriptor limit, finds the plans that exceed the limits of this machine, and checks that the
    /// address of the others can be used. Prints on standard error what is left out.
    ///
    /// - Parameter keepsRefused: returns the plans even if nothing can run, so that their rows say why.
    func checked(_ machine: MachineFacts, keepsRefused: Bool = false) throws -> Arms {
        let limits = Limits(machine)
        var arms = self
        for index in plans.indices { arms.plans[index].refusal = limits.refusal(of: plans[index]) }
        let phrases = Self.refusals(of: arms.plans)
        guard let first = arms.plans.first(where: { $0.refusal == nil }) else {
            if keepsRefused { return arms }
            throw Failure(.nothingSupported, "nothing can run: \(phrases.joined(separator: "; "))")
        }
        for phrase in phrases { complain("left out: \(phrase)") }
        // The address of an agent's servers is its own affair, and so are the other limits of its machine.
        if first.agent == nil, case .network(let server, let load) = first.plan { try Self.checkAddress(server, load) }
        return arms
    }

    /// Each reason once, after the modes that it is true of.
    private static func refusals(of plans: [RunPlan]) -> [String] {
        plans.compactMap(\.refusal).uniqued.map { reason in
            let names = plans.filter { $0.refusal == reason }.map(\.name).uniqued
            return "\(names.joined(separator: ", ")): \(reason)"
        }
    }

    /// Checks that the address can be reached, and listened on as the plan says.
    private static func checkAddress(_ server: ServerPlan, _ load: LoadPlan) throws {
        let refusal = loopbackRefusal(to: server.address).map { Failure(.nothingSupported, $0) }
        if let refusal, server.address.isLoopback { throw refusal }
        do {
            try tryListening(server, load.traffic)
        } catch  where !error.isUnsupported {
            throw Failure(.runFailed, error.description)
        } catch {}
        if let refusal { throw refusal }
    }
}

/// Why `--fast-open` cannot be had; nil if it can. The kernel takes the options without a word where it does not let them
/// work.
func fastOpenRefusal(needing needed: FastOpenSupport) -> String? {
    let support = (try? FastOpenSupport.current()) ?? []
    guard !support.isSuperset(of: needed) else { return nil }
    return
        "--fast-open: net.ipv4.tcp_fastopen is \(support.rawValue), and clients need 1 in it and servers 2: sysctl "
        + "net.ipv4.tcp_fastopen=3"
}

struct Limits {
    private let descriptors = (try? DescriptorLimit.raise())?.soft ?? 1024
    private let threads = ThreadLimit.read()
    /// 0 where it cannot be read.
    private let memory = AvailableMemory.read()
    private let backlog: Int?
    private let lockable = LockableMemory.read()

    init(_ machine: MachineFacts) { backlog = machine.somaxconn }

    func refusal(of plan: RunPlan) -> String? {
        switch plan.plan {
        case .network(_, let load) where plan.agent != nil:
            descriptorRefusal(plan) ?? fastOpenRefusal(load, servers: false)
        case .network(let server, let load):
            selectRefusal(plan, server, load) ?? descriptorRefusal(plan) ?? threadRefusal(plan, server, load)
                ?? messageRefusal(plan) ?? lockedRefusal(plan, server, load) ?? backlogRefusal(load)
                ?? fastOpenRefusal(load, servers: true)
        case .external(_, let load): descriptorRefusal(plan) ?? fastOpenRefusal(load, servers: false)
        case .wake(_, let wake): descriptorRefusal(plan) ?? liveRefusal(wake)
        }
    }

    private func selectRefusal(_ plan: RunPlan, _ server: ServerPlan, _ load: LoadPlan) -> String? {
        let isWatchedByNumber = load.workload != .accept || server.listener != .shared
        guard let limit = server.loop.mode.capabilities.descriptorLimit, isWatchedByNumber,
            plan.descriptorsNeeded > limit
        else { return nil }
        return "\(plan.name) takes descriptors below \(limit) (FD_SETSIZE) and this needs "
            + "\(plan.descriptorsNeeded); take fewer \(plan.mostDescriptorsFor), or poll"
    }

    private func descriptorRefusal(_ plan: RunPlan) -> String? {
        let needed = plan.descriptorsNeeded
        guard UInt(needed) > descriptors else { return nil }
        return "this needs \(needed) descriptors and the limit is \(descriptors); take fewer "
            + "\(plan.mostDescriptorsFor) or raise it: ulimit -Hn, LimitNOFILE= of the service, or "
            + "/etc/security/limits.conf"
    }

    /// A blocking read takes a thread for each connection.
    private func threadRefusal(_ plan: RunPlan, _ server: ServerPlan, _ load: LoadPlan) -> String? {
        guard let threads, plan.threadsNeeded > threads.threads else { return nil }
        let most = load.idle > load.connections ? "--idle" : "--connections"
        let advice =
            plan.workerThreads > server.workers
            ? "blocking needs one for each connection: take fewer \(most)" : "take fewer --workers"
        return "this needs \(plan.threadsNeeded) threads and \(threads.name) ends at \(threads.threads); \(advice)"
    }

    private func messageRefusal(_ plan: RunPlan) -> String? {
        let needed = plan.messageTableBytes
        guard memory > 0, needed > memory else { return nil }
        return "--message-size: room for a message of each connection takes about \(needed >> 20) MiB and "
            + "\(memory >> 20) MiB are available; take smaller messages, or fewer --connections or --workers"
    }

    /// The kernel keeps what a ring registers in memory.
    private func lockedRefusal(_ plan: RunPlan, _ server: ServerPlan, _ load: LoadPlan) -> String? {
        let needed = server.registeredBytes(for: load.traffic)
        guard let lockable, needed > lockable else { return nil }
        return
            "\(plan.name) registers \(needed >> 10) KiB with its rings and may lock \(lockable >> 10) KiB; raise the "
            + "limit (ulimit -l, LimitMEMLOCK= of the service), or take uring-zerocopy or fewer --connections"
    }

    /// Beyond the backlog the kernel drops connection requests and clients sleep for a second.
    private func backlogRefusal(_ load: LoadPlan) -> String? {
        let waiting = load.traffic.connections
        guard let backlog, ![.read, .datagram].contains(load.workload), waiting > backlog else { return nil }
        return "\(waiting) connections can wait at once and the backlog ends at \(backlog); take fewer or "
            + "raise it: sysctl net.core.somaxconn=\(waiting)"
    }

    /// - Parameter servers: whether the server is ours, too.
    private func fastOpenRefusal(_ load: LoadPlan, servers: Bool) -> String? {
        load.opensFast ? bench.fastOpenRefusal(needing: servers ? [.client, .server] : .client) : nil
    }

    /// The kernel must hold the descriptors of a live pool.
    private func liveRefusal(_ wake: WakePlan) -> String? {
        let needed = wake.live ? wake.liveBytes : 0
        guard memory > 0, needed > memory / 2 else { return nil }
        return "--live: \(wake.liveDescriptors) descriptors take about \(needed >> 20) MiB of kernel memory and "
            + "\(memory >> 20) MiB are available; take fewer --tasks, so that it is less than half"
    }
}
