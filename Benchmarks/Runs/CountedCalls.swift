import Load
import Loops
package import Meters
import Records
import Statistics

/// The system calls of a run, as the kernel counted them in a run of their own.
package struct CountedCalls: Sendable {
    /// Who counted.
    package let source: CallCounter.Source
    /// Operations of that run.
    package let operations: Double
    /// Calls per operation.
    package let perOperation: Double
    /// The same by the name of the call; empty where the source counts a total only.
    package let byName: [String: Double]
    /// What the loop counted in the same run, where that is not what the kernel did; nil where they agree.
    package let disagreement: String?
    /// Times that threads of somebody else's server were woken, by operation; nil where they are not counted.
    package private(set) var wakeupsPerOperation: Double?
    /// Jain's index of what the threads of somebody else's server read or accepted; nil where it is not seen.
    package private(set) var fairness: Double?
    /// What the counts lack, in a clause; nil if nothing.
    package private(set) var gap: String?

    /// - Parameter loop: nil of a server that does not count its own.
    init(source: CallCounter.Source, counts: CallCounts, operations: Double, loop: UInt64?, threads: Int) {
        self.source = source
        self.operations = operations
        perOperation = Double(counts.total) / operations
        byName = counts.byName.mapValues { Double($0) / operations }
        guard let loop else {
            disagreement = nil
            return
        }
        let difference = Double(counts.total) - Double(loop)
        // Counts are read while the workers run: each may be between the call and its counting at either end.
        let noise = Double(4 * threads) + 0.01 * Double(counts.total)
        guard abs(difference) > noise else {
            disagreement = nil
            return
        }
        let sum = "the loop counted \(text(Double(loop) / operations)) calls, the kernel \(text(perOperation))"
        let unknown = byName.filter { !Self.loopCalls.contains($0.key) && $0.value >= 0.005 }
        let named = unknown.values.reduce(0, +)
        // What no loop is meant to call explains the difference, or else everything is shown.
        let explains = abs(named * operations - difference) <= noise
        let list = (explains ? unknown : byName).sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .filter { $0.value >= 0.005 }
            .map { (explains ? "+" : "") + "\(text($0.value)) \($0.key)" }.joined(separator: ", ")
        disagreement = list.isEmpty ? sum : "\(sum): \(list)"
    }

    /// Takes what is counted of somebody else's server alone.
    mutating func note(_ measurement: Measurement, _ plan: RunPlan, _ counter: CallCounterFacts) {
        if !counter.followsForks, let processes = measurement.processes, let limit = counter.limit,
            processes.processesSeen > 0 || processes.unseenShare(tickNanoseconds: schedulerTickNanoseconds()) != nil
        {
            gap = "system calls of processes that were started while they were counted are missing, since \(limit)"
        }
        guard let activity = measurement.activity else { return }
        wakeupsPerOperation = Double(activity.wakeups) / measurement.operationsOfCosts
        let completed = plan.workload == .read ? activity.readsByThread : activity.acceptsByThread
        // A server that gets its data from a ring reads nothing, but for what wakes it.
        guard Double(completed.reduce(0, +)) >= 0.5 * measurement.operationsOfCosts else { return }
        fairness = jainIndex(ofBusy: completed, atLeast: plan.workerThreads)
    }

    /// What a loop may call, by the names of every architecture.
    private static let loopCalls: Set<String> = [
        "accept", "accept4", "clock_nanosleep", "close", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
        "fstat", "futex", "io_uring_enter", "madvise", "newfstatat", "poll", "ppoll", "pselect6", "read", "recvfrom",
        "recvmmsg",
        "recvmsg", "select", "sendfile", "sendmmsg", "sendmsg", "sendto", "splice", "tgkill", "timerfd_settime",
        "vmsplice", "write",
    ]
}

private func text(_ value: Double) -> String { Decimal.fixed(value, digits: 2) }

/// Why a run's system calls were not counted by the kernel.
package enum CountingFailure: Error {
    /// The user wants to stop.
    case interrupted
    /// What went wrong, in a line.
    case failed(String)
}

/// Repeats a run in short and lets the kernel count the workers' system calls.
///
/// - Parameters:
///   - plan: what was run.
///   - throughput: operations per second that it had, which says how long the short run has to be.
///   - sources: who may count.
package func countCalls(
    _ plan: RunPlan, throughput: Double, sources: [CallCounter.Source] = CallCounter.Source.allCases,
    _ interruption: Interruption
) throws(CountingFailure) -> CountedCalls {
    var last = CountingFailure.interrupted
    for _ in 0..<triesOfCounting {
        do throws(CountingFailure) {
            return try countOnce(plan, throughput, sources, interruption)
        } catch {
            if case .interrupted = error { throw error }
            last = error
        }
    }
    throw last
}

/// What spoils a short run on a busy machine seldom strikes three times.
private let triesOfCounting = 3

/// Of somebody else's server.
let mostCountedProcesses = 1024

private func countOnce(
    _ plan: RunPlan, _ throughput: Double, _ sources: [CallCounter.Source], _ interruption: Interruption
) throws(CountingFailure) -> CountedCalls {
    // An agent makes its own.
    var own: CallCounter?
    do throws(CallCounterRefusal) {
        if plan.agent == nil { own = try plan.counter(sources) }
    } catch {
        throw .failed(error.description)
    }
    let short = (own.map(plan.counting) ?? plan.counting(by: sources)).shortened(to: throughput)
    let measurement: Measurement
    do throws(RunError) {
        measurement = try measure(short, interruption)
    } catch {
        throw .failed(error.description)
    }
    if measurement.status == .partial { throw .interrupted }
    guard measurement.status == .ok else { throw .failed(measurement.reason) }
    // After that the clients hang up and workers end, which is no part of an operation.
    let latest = short.durationNanoseconds + RunWindow.tailNanoseconds
    guard !short.hasFixedWindow || measurement.durationNanoseconds < latest else {
        throw .failed("the counts were read too late: the machine is busy")
    }
    guard let counts = measurement.calls, measurement.operations > 0 else {
        guard measurement.operations > 0 else { throw .failed("no operation was completed") }
        throw .failed(
            plan.mode == nil ? "the server's processes could not be watched" : "a worker could not be watched")
    }
    guard let counter = own.map({ CallCounterFacts($0) }) ?? measurement.counter else {
        throw .failed("the agent did not say who counted")
    }
    var counted = CountedCalls(
        source: counter.source, counts: counts, operations: measurement.operationsOfCosts,
        loop: measurement.totals[.systemCalls], threads: plan.countedThreads)
    if plan.mode == nil { counted.note(measurement, plan, counter) }
    return counted
}

extension RunPlan {
    /// Counts what a run of it calls.
    fileprivate func counter(_ sources: [CallCounter.Source]) throws(CallCounterRefusal) -> CallCounter {
        mode == nil
            ? try CallCounter(processes: mostCountedProcesses, sources: sources)
            : try CallCounter(threads: mostCountedThreads, sources: sources)
    }

    /// Workers and dispatchers.
    fileprivate var countedThreads: Int {
        switch plan {
        case .network, .external: workerThreads + 1
        case .wake(_, let wake): wake.workerThreads
        }
    }

    /// The same, and room for those of a live pool, which come once for each descriptor table.
    var mostCountedThreads: Int {
        if case .wake(_, let wake) = plan, wake.live { return 64 * countedThreads }
        return countedThreads
    }

    /// False where the window ends with the work.
    fileprivate var hasFixedWindow: Bool {
        switch plan {
        case .network(_, let load), .external(_, let load): load.queued == nil
        case .wake(_, let wake): wake.shape != .pool
        }
    }

    /// The same, as long as it takes to see some thousand operations, between 20 and 100 ms, and longer only where hardly
    /// a hundred would be seen; of a drain or a pool fewer.
    fileprivate func shortened(to throughput: Double) -> RunPlan {
        var short = self
        func time(of operations: Double) -> Double { throughput > 0 ? operations / throughput * 1e9 : 1e9 }
        let wanted = max(min(max(time(of: 2000), 20e6), 100e6), min(time(of: 100), 1e10))
        short.durationNanoseconds = min(durationNanoseconds, UInt64(wanted))
        short.warmupNanoseconds = min(warmupNanoseconds, 10_000_000)
        if mode == nil {
            // Clients count another moment of an operation than the kernel does, so those under way must not matter; and a
            // server may be slow at first.
            let underway = time(of: 200 * Double(load.connections * load.depth))
            short.durationNanoseconds = min(durationNanoseconds, UInt64(max(wanted, min(underway, 1e9), 2e8)))
            short.warmupNanoseconds = min(warmupNanoseconds, 200_000_000)
        }
        switch plan {
        case .network(_, let load), .external(_, let load):
            if let count = load.queued { short.load.pace = .drain(min(count, 10_000)) }
        case .wake(_, let wake):
            short.wake.tasks = min(wake.tasks, max(20_000, wake.producers, wake.consumers))
        }
        return short
    }
}
