import Load
import Meters
import Servers

/// Everything that is read at either end of the measured window.
struct Snapshot {
    let server: WorkerSnapshot
    let client: ThreadUsage
    let kernel: KernelCounters

    /// Reads what is measured, and what the clients use.
    init(_ threads: some MeasuredThreads, _ clients: ClientTeam) {
        self.init({ threads.snapshot() }, clients: clients.accounts)
    }

    init(_ threads: () -> WorkerSnapshot, clients: [ThreadAccount]) {
        // The few clients are read first, side by side with the server's counts; files come last.
        let clientTime = clients.time
        server = threads()
        kernel = .read()
        client = clientTime + clients.switches
    }
}

extension Measurement {
    /// Counts what happened between two snapshots.
    mutating func count(from start: Snapshot, to end: Snapshot) {
        let (first, last) = (start.server, end.server)
        durationNanoseconds = last.time - first.time
        perWorker = zip(first.operations, last.operations).map { $1 - $0 }
        totals = last.totals.merging(first.totals) { $0 - $1 }
        if let before = first.calls, let after = last.calls { calls = after - before }
        server = last.usage - first.usage
        client = end.client - start.client
        foreignShare = KernelCounters.foreignShare(
            from: start.kernel, to: end.kernel, seconds: Double(durationNanoseconds) / 1e9)
    }
}
