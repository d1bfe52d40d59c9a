import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// The worker threads of a run, their counters, and the signals that start and stop them.
final class WorkerTeam: Sendable {
    let meters: WorkerMeters
    /// Readable when a worker failed.
    let failure: EventFD
    /// What the workers saw fail without failing themselves.
    let failures = FailureLog()
    private let stop: EventFD
    private let gate: StartGate
    private let threads: [BenchThread<Void>]

    /// What a worker is given beside its work.
    struct Member: Sendable {
        let index: Int
        let meter: WorkerMeter
        /// Readable when the worker is to end; borrowed from the team.
        let stop: BorrowedDescriptor
        /// To be passed when the worker is ready.
        let gate: StartGate
        /// Where operations go that failed.
        var failures = FailureLog()
    }

    /// Starts the threads, dispatchers last, and returns when each has arrived at the gate or failed.
    init(
        count workers: Int, dispatchers: Int = 0, _ placement: Placement, stop: consuming EventFD,
        calls: CallCounter? = nil,
        _ work: @escaping @Sendable (Member) throws(Errno) -> Void
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
        self.stop = stop
        self.failure = failure
        self.gate = gate
        gate.waitForArrivals(count)
        calls?.watch(threads.compactMap(\.account.thread))
    }

    /// Opens the gate.
    func start() {
        gate.open()
    }

    /// What each thread uses.
    var accounts: [ThreadAccount] { threads.map(\.account) }

    /// Signals the end, then calls `wake` for workers that cannot see the signal, and waits for all; returns the first
    /// error that one of them ended with.
    func finish(wake: () -> Void = {}) -> RunError? {
        gate.open()
        meters.stop()
        signal(stop.descriptor)
        // Who hands out work ends first: what it hands out is done before the others are sent home.
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

/// A counter to signal with.
func makeSignal() throws(RunError) -> EventFD {
    do throws(Errno) {
        return try EventFD()
    } catch {
        throw RunError("eventfd", error)
    }
}
