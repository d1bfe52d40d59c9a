import LinuxDescriptors
import Meters
import Workloads

/// What is checked before anything runs, so that a run does not fail halfway for a reason known beforehand.
enum Preflight {
    /// Raises the descriptor limit, finds the plans that this machine has no room for, and checks that the others can
    /// have their connections. What is left out is said on standard error.
    ///
    /// - Parameter keepsRefused: returns the plans even if nothing can run, so that their rows say why.
    /// - Returns: the same plans; those that cannot run say so in ``RunPlan/refusal``.
    /// - Throws: ``Failure`` if nothing can run.
    static func checked(_ plans: [RunPlan], machine: MachineFacts, keepsRefused: Bool = false) throws -> [RunPlan] {
        let room = Room(machine)
        let plans = plans.map { plan in
            var plan = plan
            plan.refusal = room.refusal(of: plan)
            return plan
        }
        let phrases = refusals(of: plans)
        guard let first = plans.first(where: { $0.refusal == nil }) else {
            if keepsRefused { return plans }
            throw Failure(.nothingSupported, "nothing can run: \(phrases.joined(separator: "; "))")
        }
        for phrase in phrases { complain("left out: \(phrase)") }
        if first.workload != .wake { try checkAddress(first) }
        return plans
    }

    /// Each reason once, after the modes that it is true of.
    private static func refusals(of plans: [RunPlan]) -> [String] {
        var modes: [(reason: String, names: [String])] = []
        for plan in plans {
            guard let reason = plan.refusal else { continue }
            let name = plan.mode.name
            guard let index = modes.firstIndex(where: { $0.reason == reason }) else {
                modes.append((reason, [name]))
                continue
            }
            if !modes[index].names.contains(name) { modes[index].names.append(name) }
        }
        return modes.map { "\($0.names.joined(separator: ", ")): \($0.reason)" }
    }

    /// Checks that the address can be reached, and listened on as the plan says.
    private static func checkAddress(_ plan: RunPlan) throws {
        let host = "\(plan.address)"
        let refusal = loopbackRefusal(to: plan.address).map { Failure(.nothingSupported, $0) }
        if let refusal, host.hasPrefix("127.") || host.hasPrefix("[::1]") { throw refusal }
        do {
            try Workloads.checkAddress(plan)
        } catch  where !error.isUnsupported {
            throw Failure(.runFailed, error.description)
        } catch {}
        if let refusal { throw refusal }
    }
}

/// What this machine lets one process have.
private struct Room {
    private let descriptors = (try? DescriptorLimit.raise())?.soft ?? 1024
    private let threads = ThreadLimit.read()
    /// 0 where it cannot be read.
    private let memory = AvailableMemory.read()
    private let backlog: Int?

    init(_ machine: MachineFacts) { backlog = machine.somaxconn }

    /// Why a plan has no room; nil if it has.
    func refusal(of plan: RunPlan) -> String? {
        let isWake = plan.workload == .wake
        return selectRefusal(plan) ?? descriptorRefusal(plan)
            ?? (isWake ? liveRefusal(plan) : threadRefusal(plan) ?? messageRefusal(plan) ?? backlogRefusal(plan))
    }

    private func selectRefusal(_ plan: RunPlan) -> String? {
        let isWatchedByNumber = plan.workload != .accept || plan.listener != .shared
        guard plan.mode.mechanism == .select, plan.workload != .wake, isWatchedByNumber,
            plan.descriptorsNeeded > Mode.selectLimit
        else { return nil }
        return "select takes descriptors below \(Mode.selectLimit) (FD_SETSIZE) and this needs "
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
    private func threadRefusal(_ plan: RunPlan) -> String? {
        guard let threads, plan.threadsNeeded > threads.threads else { return nil }
        let advice =
            plan.workerThreads > plan.workers
            ? "blocking needs one for each connection: take fewer \(plan.mostConnectionsFor)" : "take fewer --workers"
        return "this needs \(plan.threadsNeeded) threads and \(threads.name) ends at \(threads.threads); \(advice)"
    }

    private func messageRefusal(_ plan: RunPlan) -> String? {
        let needed = plan.messageTableBytes
        guard memory > 0, needed > memory else { return nil }
        return "--message-size: room for a message of each connection takes about \(needed >> 20) MiB and "
            + "\(memory >> 20) MiB are available; take smaller messages, or fewer --connections or --workers"
    }

    /// Beyond the backlog the kernel drops connection requests and clients sleep for a second.
    private func backlogRefusal(_ plan: RunPlan) -> String? {
        guard let backlog, plan.workload != .read, plan.outstanding > backlog else { return nil }
        return "\(plan.outstanding) connections can wait at once and the backlog ends at \(backlog); take fewer or "
            + "raise it: sysctl net.core.somaxconn=\(plan.outstanding)"
    }

    /// The kernel must hold the descriptors of a live pool.
    private func liveRefusal(_ plan: RunPlan) -> String? {
        let needed = plan.wake.live ? plan.wake.liveBytes : 0
        guard memory > 0, needed > memory / 2 else { return nil }
        return "--live: \(plan.wake.liveDescriptors) descriptors take about \(needed >> 20) MiB of kernel memory and "
            + "\(memory >> 20) MiB are available; take fewer --tasks, so that it is less than half"
    }
}

extension RunPlan {
    /// The option that most of its connections come from.
    fileprivate var mostConnectionsFor: String { idle > connections ? "--idle" : "--connections" }
}
