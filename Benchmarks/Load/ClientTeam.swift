package import LinuxDescriptors
import LinuxReadiness
package import Meters
package import SystemPackage

/// The client threads of a run.
package final class ClientTeam: Sendable {
    private let threads: [BenchThread<ClientResult>]
    private let failureSignal: EventFD
    private let start = ClientStart()
    /// Tells the clients to give up at once.
    package let abandonment = Abandonment()

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - ownDescriptors: each has a descriptor table of its own where that is allowed, so that the limit counts for
    ///     either end of the connections alone.
    ///   - body: prepares client `index`, waits for the start, and works until the run is over.
    package init(
        count: Int, _ placement: Placement, ownDescriptors: Bool = false,
        _ body: @escaping @Sendable (_ index: Int, ClientStart) throws(Errno) -> ClientResult
    ) throws(RunError) {
        let failure = try makeSignal()
        let failed = failure.descriptor
        let start = start
        threads = (0..<count).map { index in
            let fail = { @Sendable (_: Errno) in
                start.arriveOnly()
                signal(failed)
            }
            return BenchThread("client-\(index)", processor: placement.processor(ofClient: index), refused: fail) {
                () throws(Errno) in
                do throws(Errno) {
                    if ownDescriptors { _ = try? unshareDescriptorTable(closingInherited: true, except: failed) }
                    return try body(index, start)
                } catch {
                    fail(error)
                    throw error
                }
            }
        }
        failureSignal = failure
    }

    /// Readable when a client failed; borrowed.
    package var failure: BorrowedDescriptor { failureSignal.descriptor }

    /// What each thread uses.
    package var accounts: [ThreadAccount] { threads.map(\.account) }

    /// True when all threads have ended.
    package var isFinished: Bool { threads.allSatisfy(\.isFinished) }

    /// Waits until all clients are ready or have failed.
    package func waitUntilReady() { start.waitForArrivals(threads.count) }

    /// True if all clients are ready or have failed within a time.
    package func areReady(withinSeconds seconds: Double) -> Bool {
        start.waitForArrivals(threads.count, seconds: seconds)
    }

    /// Lets the clients begin.
    package func begin(_ window: RunWindow) { start.begin(window, abandonment) }

    /// Ends clients that have not begun.
    package func giveUp() {
        start.giveUp()
        _ = join()
    }

    /// The first error that ended one; waits for all.
    package var error: Errno? {
        for case .failure(let error) in join() { return error }
        return nil
    }

    /// Why a connection could not be made before the run, where ``error`` does not say it.
    package var cause: FailureTally.Cause? { start.cause }

    /// Waits for the threads, and returns what they saw.
    package func join() -> [Result<ClientResult, Errno>] { threads.map { $0.join() } }
}
