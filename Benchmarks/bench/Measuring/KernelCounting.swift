import Meters
import Records
import Runs
import Servers

/// Lets the kernel count system calls beside the timed runs, where it can.
struct KernelCounting {
    private var sources: [CallCounter.Source] = []
    /// What to say once; nil where the kernel counts, or the user wants no count.
    private(set) var warning: String?

    /// - Parameters:
    ///   - others: whether servers are among the runs that are not our loops.
    ///   - agent: whose machine the servers run on; nil for this one.
    init(wanted: Bool, others: Bool = false, agent: AgentClient? = nil) {
        guard wanted else { return }
        if let agent {
            take(agent.facts, others: others)
            return
        }
        do throws(CallCounterRefusal) {
            let counter = try CallCounter(threads: 1, sources: CallCounter.Source.allCases)
            self.sources = [counter.source]
            let limit = others ? (try? CallCounter(processes: 1, sources: [counter.source]))?.limit : nil
            warning = Self.warning(counter.source, limit: limit)
        } catch {
            warning = Self.warning(refusal: error.description, isPrivilege: error.isPrivilege, others: others)
        }
    }

    /// Lets the kernel of an agent's machine count.
    private mutating func take(_ facts: AgentFacts, others: Bool) {
        if let counter = facts.counter {
            sources = [counter.source]
            warning = Self.warning(counter.source, limit: others ? counter.limit : nil)
        } else {
            warning = Self.warning(
                refusal: facts.counterRefusal, isPrivilege: facts.counterNeedsPrivilege, others: others)
        }
    }

    private static func warning(_ source: CallCounter.Source, limit: String?) -> String? {
        guard source == .bpf else {
            return
                "system calls are counted in total and not by name, so calls.csv stays empty: a perf event does not "
                + "tell them apart, and no BPF program can be loaded"
        }
        return limit.map { "wakeups, and what each thread of other servers reads, are not counted: \($0)" }
    }

    private static func warning(refusal: String, isPrivilege: Bool, others: Bool) -> String {
        let remedy = isPrivilege ? "; run as root, or with CAP_BPF and CAP_PERFMON" : ""
        let who = others ? "by the loops alone, of other servers not at all" : "by the loops and not by the kernel"
        return "system calls are counted \(who) (\(refusal))\(remedy)"
    }

    /// Repeats the run of a row in short, takes the kernel's count into the row, and returns the lines of `calls.csv`.
    /// Where that fails the loop's count stays and the row says why.
    func count(_ plan: RunPlan, into record: inout RunRecord, _ interruption: Interruption) -> [CallRow] {
        // Somebody else's server does not count its own.
        if plan.mode != nil {
            guard record.syscallsPerOp != nil else { return [] }
            record.syscallsSource = "loop"
        } else {
            guard record.serverProcesses != nil else { return [] }
        }
        guard record.status == .ok, !sources.isEmpty else { return [] }
        do throws(CountingFailure) {
            let counted = try countCalls(
                plan, throughput: record.throughputOpsPerS ?? 0, sources: sources, interruption)
            record.syscallsPerOp = counted.perOperation
            record.syscallsSource = counted.source.rawValue
            record.serverWakeupsPerOp = counted.wakeupsPerOperation
            record.serverOpsFairness = counted.fairness
            for warning in [counted.disagreement, counted.gap] { warning.map { record.addWarning($0) } }
            return CallRow.rows(runId: record.runId, counted.byName)
        } catch {
            switch error {
            case .interrupted: record.addWarning("interrupted before its calls were counted")
            case .failed(let reason): record.addWarning("the kernel did not count the system calls: \(reason)")
            }
            return []
        }
    }
}

/// Complains, for a command that keeps its runs quiet, if the kernel does not count their system calls.
func complainOfLoopCounts() {
    if let warning = KernelCounting(wanted: true).warning { complain(warning) }
}
