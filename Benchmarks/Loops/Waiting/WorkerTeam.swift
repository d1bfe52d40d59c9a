package import LinuxDescriptors
package import LinuxReadiness
package import Meters
package import SystemPackage

/// The worker threads of a run, their counters, and the signals that start and stop them.
package final class WorkerTeam: Sendable {
    package let meters: WorkerMeters
    /// Readable when a worker failed.
    package var failure: BorrowedDescriptor { failureSignal.descriptor }
    private let failureSignal: EventFD
    /// What the workers saw fail without failing themselves.
    package let failures = FailureLog()
    private let stop: EventFD
    private let gate: StartGate
    private let threads: [BenchThread<Void>]
    /// The threads of the kernel that take submissions for the workers; nil if no ring has one.
    private let pollers: RingPollers?

    /// What a worker is given beside its work.
    package struct Member: Sendable {
        let index: Int
        package let meter: WorkerMeter
        /// Readable when the worker is to end; borrowed from the team.
        let stop: BorrowedDescriptor
        /// To be passed when the worker is ready.
        package let gate: StartGate
        /// Where operations go that failed.
        var failures = FailureLog()
    }

    /// What ends a worker that fails.
    package typealias Failure = Errno

    /// Starts the threads, dispatchers last, and returns when each has arrived at the gate or failed.
    package init(
        count workers: Int, dispatchers: Int = 0, _ placement: Placement, stop: consuming EventFD,
        calls: CallCounter? = nil, hasPollers: Bool = false,
        _ work: @escaping @Sendable (Member) throws(Failure) -> Void
    ) throws(RunError) {
        let meters = WorkerMeters(count: workers, dispatchers: dispatchers, calls: calls)
        let count = meters.count
        let failure = try makeSignal()
        let gate = StartGate(calls: calls)
        let failures = failures
        let stopDescriptor = stop.descriptor
        let failureDescriptor = failure.descriptor
        threads = (0..<count).map { index in
            let member = Member(
                index: index, meter: meters[index], stop: stopDescriptor, gate: gate, failures: failures)
            let fail = { @Sendable (_: Errno) in
                gate.arriveOnly()
                signal(failureDescriptor)
            }
            return BenchThread(
                "worker-\(index)", processor: placement.processor(ofWorker: index), refused: fail
            ) { () throws(Errno) in
                do throws(Errno) {
                    try work(member)
                } catch {
                    fail(error)
                    throw error
                }
            }
        }
        self.meters = meters
        pollers = hasPollers ? RingPollers() : nil
        self.stop = stop
        failureSignal = failure
        self.gate = gate
        gate.waitForArrivals(count)
        calls?.watch(threads.compactMap(\.account.thread))
    }

    /// Opens the gate, and tells the workers when the measured window begins and ends.
    package func begin(_ window: RunWindow) {
        meters.setWindow(start: window.start, end: window.end)
        gate.open()
    }

    /// What the workers have done and used so far.
    package func snapshot() -> WorkerSnapshot {
        let accounts = threads.map(\.account)
        return WorkerSnapshot(meters, accounts, pollers: pollers?.accounts(of: accounts) ?? [])
    }

    /// Operations of all threads so far.
    package var operations: UInt64 { (0..<meters.count).reduce(0) { $0 + meters[$1][.operations] } }

    /// The longest time that a worker went without an operation while others had one.
    package func starvation(windowEnd: UInt64) -> UInt64 {
        meters.starvation(windowEnd: windowEnd)
    }

    /// The sum over all workers of the most connections that each had open.
    package var openPeak: UInt64 { (0..<meters.count).reduce(0) { $0 + meters[$1][.openPeak] } }

    /// Signals the end, then calls `wake` for workers that cannot see the signal, and waits for all; returns the first
    /// error that one of them ended with.
    package func finish(wake: () -> Void = {}) -> RunError? {
        gate.open()
        meters.stop()
        signal(stop.descriptor)
        // Join dispatchers before stopping workers: what was handed out is still served.
        for dispatcher in threads.dropFirst(meters.workers) { _ = dispatcher.join() }
        wake()
        let errors = threads.compactMap { thread -> RunError? in
            guard case .failure(let error) = thread.join() else { return nil }
            return switch thread.refusal {
            case nil: RunError("a worker stopped", error)
            case .thread: RunError("pthread_create for \(threads.count) workers", error)
            case .processor(let number): RunError("a worker stopped: sched_setaffinity to processor \(number)", error)
            }
        }
        return errors.first
    }
}
