import LinuxReadiness

/// Who the kernel wakes for one connection.
///
/// 1. A listener is put into one set, or into four.
/// 2. Four threads wait, each seen asleep in the kernel before anything else happens.
/// 3. A client connects. Nobody accepts, so the listener stays readable.
/// 4. A thread that wakes with an event does not wait again. Others may be woken by its leaving.
/// 5. When for a while nobody woke and all others are seen asleep, those who woke are counted.
///
/// `switched` counts the threads that gave up the processor once more: the kernel had woken them, found the event
/// gone and put them back to sleep, which the program never sees.
extension Experiment {
    /// What is said of the number of threads that wake.
    enum WakeupClaim {
        case oneWaiter, everyWaiter
    }

    static func wakeup(
        _ name: String, _ flags: EpollEvents, _ topology: Topology, _ claim: WakeupClaim, _ statement: String,
        _ source: ClaimSource
    ) -> Experiment {
        Experiment(
            id: "accept-\(name)-\(topology.rawValue)", statement: statement, source: source,
            keys: ["workers", "woken"],
            observe: { try observeWakeups([.readable, flags].reduce([]) { $0.union($1) }, topology) },
            judge: { observed in
                guard let workers = observed.integer("workers"), let woken = observed.integer("woken") else {
                    return .unsupported
                }
                switch (claim, woken) {
                case (.oneWaiter, 1), (.everyWaiter, workers): return .holds
                // Some, neither one nor all: the statement is about a number that this is not.
                case (_, 2..<workers): return .depends
                default: return .doesNotHold
                }
            },
            explain: { observed in
                let woken = observed["woken"] ?? ""
                return "\(woken) of \(observed["workers"] ?? "") waiting threads woke for one connection."
            })
    }
}

private func observeWakeups(_ events: EpollEvents, _ topology: Topology) throws -> Observed {
    let workers = 4
    var listener = try ScriptListener()
    let stop = try EventFD()
    let sets = try EpollSets(count: topology == .sharedSet ? 1 : workers)
    for index in 0..<sets.count { try sets[index].add(listener.descriptor, events, token: 0) }

    let threads = try scriptThreads("waiter", count: workers)
    defer { for thread in threads { thread.end() } }
    let waits = threads.indices.map { index in
        threads[index].start { try sets[index % sets.count].waitForOne() }
    }
    defer {
        // Whoever still waits is let go by an event that none of the observed ones depends on.
        _ = try? stop.add()
        for index in 0..<sets.count { try? sets[index].add(stop.descriptor, .readable, token: 1) }
        for wait in waits { _ = try? wait.result() }
    }
    try Patience.untilAsleep(threads)
    let switches = threads.map(\.state.voluntarySwitches)

    try listener.admit()
    try Patience.untilQuiet(threads)
    let woken = waits.filter(\.isFinished).count
    let asleep = threads.indices.filter { !waits[$0].isFinished }
    let switched = asleep.filter { threads[$0].state.voluntarySwitches > switches[$0] }.count
    listener.end()
    return ["workers": workers, "woken": woken, "switched": switched]
}
