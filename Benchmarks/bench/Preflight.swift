import LinuxDescriptors
import Meters
import Workloads

/// What is checked before anything runs, so that a run does not fail halfway for a reason known beforehand.
enum Preflight {
    /// Raises the descriptor limit and checks it, the backlog, and that the address can be listened on.
    static func check(_ plans: [RunPlan], machine: MachineFacts) throws {
        if plans.allSatisfy({ $0.workload == .wake }) {
            try checkDescriptors(plans)
            return try checkMemory(plans)
        }
        try checkDescriptors(plans)
        try checkThreads(plans)
        try checkMessageMemory(plans)
        // Beyond the backlog the kernel drops connection requests and clients sleep for a second.
        let outstanding = plans.filter { $0.workload != .read }.map(\.outstanding).max() ?? 0
        if outstanding > machine.somaxconn {
            throw Failure(
                .usage,
                "\(outstanding) connections can wait at once and the backlog ends at \(machine.somaxconn); take "
                    + "fewer or raise it: sysctl net.core.somaxconn=\(outstanding)")
        }
        if let plan = plans.first {
            do {
                try checkAddress(plan)
            } catch  where !error.isUnsupported {
                throw Failure(.runFailed, error.description)
            } catch {}
        }
    }

    /// Raises the descriptor limit and checks that it is enough.
    private static func checkDescriptors(_ plans: [RunPlan]) throws {
        let limit = (try? DescriptorLimit.raise())?.soft ?? 1024
        guard let most = plans.max(by: { $0.descriptorsNeeded < $1.descriptorsNeeded }) else { return }
        let needed = most.descriptorsNeeded
        guard UInt(needed) > limit else { return }
        throw Failure(
            .usage,
            "this needs \(needed) descriptors and the limit is \(limit); take fewer \(most.mostDescriptorsFor) or raise "
                + "it: ulimit -Hn, LimitNOFILE= of the service, or /etc/security/limits.conf")
    }

    /// Checks that there can be the threads, of which a blocking read takes one for each connection.
    private static func checkThreads(_ plans: [RunPlan]) throws {
        let most = plans.max { $0.threadsNeeded < $1.threadsNeeded }
        guard let most, let limit = ThreadLimit.read(), most.threadsNeeded > limit.threads else { return }
        let advice =
            most.workerThreads > most.workers
            ? "blocking needs one for each connection: take fewer --connections"
            : "take fewer --workers"
        throw Failure(
            .usage, "this needs \(most.threadsNeeded) threads and \(limit.name) ends at \(limit.threads); \(advice)")
    }

    /// Checks that the tables for messages fit.
    private static func checkMessageMemory(_ plans: [RunPlan]) throws {
        let needed = plans.map(\.messageTableBytes).max() ?? 0
        let available = AvailableMemory.read()
        guard available > 0, needed > available else { return }
        throw Failure(
            .usage,
            "--message-size: room for a message of each connection takes about \(needed >> 20) MiB and "
                + "\(available >> 20) MiB are available; take smaller messages, or fewer --connections or --workers")
    }

    /// Checks that the kernel can hold the descriptors of a live pool.
    private static func checkMemory(_ plans: [RunPlan]) throws {
        guard let wake = plans.map(\.wake).filter(\.live).max(by: { $0.liveBytes < $1.liveBytes }) else { return }
        let (live, needed) = (wake.liveDescriptors, wake.liveBytes)
        let available = AvailableMemory.read()
        if needed > available / 2 {
            throw Failure(
                .usage,
                "--live: \(live) descriptors take about \(needed >> 20) MiB of kernel memory and \(available >> 20) "
                    + "MiB are available; take fewer --tasks, so that it is less than half")
        }
    }
}
