import Load
import Meters
import Servers

/// Everything that is read at either end of the measured window.
struct Snapshot {
    let server: WorkerSnapshot
    let client: ThreadUsage
    /// Client threads.
    let clients: Int
    /// Of the server's machine.
    let kernel: KernelCounters
    /// Of the clients' machine; nil where that is the server's and both are of this process.
    let clientKernel: KernelCounters?
    /// Where the server runs.
    let place: ServerPlace

    /// Reads what is measured, and what the clients use.
    init(_ threads: some MeasuredThreads, _ clients: some Clients) {
        // The few clients are read first, side by side with the server's counts; files come last.
        let clientTime = clients.accounts.time
        // Before the server's, which can be a network away.
        let clientKernel = threads.place == .thisProcess ? nil : KernelCounters.read()
        self.init(
            clientTime, threads.snapshot(), kernel: threads.kernelCounters, clientKernel, threads.place,
            clients: clients.accounts)
    }

    init(_ threads: () -> WorkerSnapshot, clients: [ThreadAccount]) {
        let clientTime = clients.time
        self.init(clientTime, threads(), kernel: .read(), nil, .thisProcess, clients: clients)
    }

    private init(
        _ clientTime: ThreadUsage, _ snapshot: WorkerSnapshot, kernel: @autoclosure () -> KernelCounters,
        _ clientKernel: KernelCounters?, _ place: ServerPlace, clients: [ThreadAccount]
    ) {
        server = snapshot
        self.kernel = kernel()
        self.place = place
        self.clientKernel = clientKernel
        client = clientTime + clients.switches
        self.clients = clients.count
    }
}

extension Measurement {
    /// Counts what happened between two snapshots.
    mutating func count(from start: Snapshot, to end: Snapshot) {
        let (first, last) = (start.server, end.server)
        // Of an agent that was lost meanwhile there may be no later time.
        durationNanoseconds = last.time - min(first.time, last.time)
        perWorker = zip(first.operations, last.operations).map { $1 - $0 }
        totals = last.totals.merging(first.totals) { $0 - $1 }
        if let before = first.calls, let after = last.calls { calls = after - before }
        if let before = first.activity, let after = last.activity { activity = after - before }
        server = last.usage - first.usage
        pollerNanoseconds = last.pollerNanoseconds.map { $0 - (first.pollerNanoseconds ?? 0) }
        client = end.client - start.client
        processes = last.processes.map { $0.since(first.processes) }
        descriptorGrowth = (last.processes?.descriptors ?? 0) - (first.processes?.descriptors ?? 0)
        let possible = Double(end.clients) * Double(durationNanoseconds)
        if possible > 0 { clientBusy = min(Double(client.cpuNanoseconds) / possible, 1) }
        if let before = start.kernel.busyNanoseconds, let after = end.kernel.busyNanoseconds {
            machineNanoseconds = after &- before
        }
        // The clients' own machine, where that is another one.
        network = (end.clientKernel ?? end.kernel).network.since((start.clientKernel ?? start.kernel).network)
        // The processes of a server that are not known cannot be told from other programs.
        guard first.tellsOperations || processes != nil else { return }
        foreignShare = foreignShare(from: start, to: end)
    }

    /// Of two machines the larger share.
    private func foreignShare(from start: Snapshot, to end: Snapshot) -> Double? {
        let seconds = Double(durationNanoseconds) / 1e9
        var others = processes?.cpuNanoseconds ?? 0
        var ofClients: Double?
        if let before = start.clientKernel, let after = end.clientKernel {
            if end.place == .thisMachine {
                others += after.ownNanoseconds &- before.ownNanoseconds
            } else {
                ofClients = KernelCounters.foreignShare(from: before, to: after, seconds: seconds)
            }
        }
        let ofServer = KernelCounters.foreignShare(
            from: start.kernel, to: end.kernel, server: others, seconds: seconds,
            processors: max(end.kernel.processorCount, 1))
        return [ofServer, ofClients].compactMap { $0 }.max()
    }
}

extension ProcessUsage {
    /// What was used since an earlier reading, and what is held now.
    fileprivate func since(_ earlier: ProcessUsage?) -> ProcessUsage {
        guard let earlier else { return self }
        var difference = self
        difference.cpuNanoseconds -= min(earlier.cpuNanoseconds, cpuNanoseconds)
        difference.voluntarySwitches -= min(earlier.voluntarySwitches, voluntarySwitches)
        difference.involuntarySwitches -= min(earlier.involuntarySwitches, involuntarySwitches)
        if let before = earlier.seenNanoseconds, let now = seenNanoseconds {
            difference.seenNanoseconds = now - min(before, now)
        }
        difference.cpuByThread = cpuByThread.reduce(into: [:]) { times, thread in
            times[thread.key] = thread.value - min(earlier.cpuByThread[thread.key] ?? 0, thread.value)
        }
        difference.processesSeen -= earlier.processesSeen
        if let before = earlier.runDelayNanoseconds, let now = runDelayNanoseconds {
            difference.runDelayNanoseconds = now - min(before, now)
        }
        return difference
    }
}
