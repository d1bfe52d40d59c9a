import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import Meters
import SystemPackage

/// What the tasks of a worker share, all on the worker's own thread: its counters, and the error that ends the run.
///
/// Unchecked because the executor's one thread is the only one that comes here.
class ExecutorWork: @unchecked Sendable {
    let meter: WorkerMeter
    private(set) var failure: Errno?

    init(_ meter: WorkerMeter) { self.meter = meter }

    /// Ends the run with an error.
    func end(_ error: Errno, _ executor: some EventExecutor) {
        if failure == nil { failure = error }
        executor.beginShutdown()
    }

    /// Writes down what the executor has done; what else is called is counted where it is.
    @inline(__always) func note(_ executor: some EventExecutor) {
        let counts = executor.counts
        let calls = counts.systemCalls
        meter.add(.systemCalls, calls - meter[.ringEnters])
        meter.set(.ringEnters, calls)
        meter.set(.submissions, counts.submissions)
        meter.set(.completions, counts.events)
        meter.set(.wakeups, counts.visits)
    }

    /// Shuts the executor down when the stop signal comes.
    func awaitStop(_ stop: BorrowedDescriptor, _ executor: some EventExecutor) async {
        do throws(Errno) {
            try await executor.waitUntilReadable(stop)
        } catch {
            if error != .canceled { return end(error, executor) }
        }
        executor.beginShutdown()
    }

    /// Accepts the next connection, and outlasts a shortage; nil when the run is over.
    func accept(
        _ listener: borrowing AsyncListener, _ executor: some EventExecutor
    ) async -> AsyncConnection? {
        while true {
            do throws(Errno) {
                let connection = try await listener.accept()
                note(executor)
                return connection
            } catch {
                if error == .canceled { return nil }
                if error.isOfOneConnection { continue }
                guard error.isShortage else {
                    end(error, executor)
                    return nil
                }
            }
            do throws(Errno) {
                try noteShortage(.tooManyOpenFiles, meter)
                try await executor.sleep(for: .nanoseconds(Int64(shortagePauseNanoseconds)))
            } catch {
                if error != .canceled { end(error, executor) }
                return nil
            }
        }
    }
}

extension Mechanism {
    /// Makes the calling thread an executor's, until what is begun there ends it.
    ///
    /// - Parameter isBusy: whether serving takes a while: a client must not wait for the service of others then.
    func runExecutor(
        ringEntries: UInt32, isBusy: Bool, _ begin: (any EventExecutor) -> Void
    ) throws(Errno) {
        let jobs = isBusy ? 1 : 1024
        if self == .asyncRing {
            try RingExecutor.runOnThisThread(
                entries: ringEntries, completions: 2 * ringEntries, jobsInARow: jobs
            ) { begin($0) }
        } else {
            try SetExecutor.runOnThisThread(jobsInARow: jobs) { begin($0) }
        }
    }
}
