import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// A job whose workers can wait with rings, whatever they serve.
protocol RingJob: ServerJob {
    var plan: ServerPlan { get }
    /// Readable when the workers are to end; borrowed.
    var stop: BorrowedDescriptor { get }
    /// Submissions that a worker's ring has room for.
    var ringEntries: UInt32 { get }
}

extension RingJob {
    /// A ring of this thread as the mode wants it, which polls the stop signal.
    func makeRing(_ waiting: inout RingWaiting) throws(Errno) -> Ring {
        var ring = try plan.loop.mode.options.makeRing(entries: ringEntries, &waiting)
        try ring.preparePoll(stop, .readable, token: Token(.stop).rawValue)
        return ring
    }

    /// A ring of this thread that waits in the plainest way, and polls the stop signal or another that ends it.
    func makeRing(endedBy end: BorrowedDescriptor? = nil) throws(Errno) -> Ring {
        var ring = try Ring.forThisThread(entries: ringEntries, completions: 2 * ringEntries)
        try ring.preparePoll(end ?? stop, .readable, token: Token(.stop).rawValue)
        return ring
    }
}

extension ServerPlan {
    /// Makes a ring for a moment where a processor was named for its poller, which may be off by now: a worker could not say
    /// which of its calls failed.
    ///
    /// - Throws: a line that names the processor.
    func tryPoller() throws(RunError) {
        guard let poller = loop.mode.options.poller, let processor = poller.processor else { return }
        do throws(Errno) {
            _ = try Ring(entries: 1, poller: poller)
        } catch {
            guard error == .invalidArgument else {
                throw RunError("io_uring_setup with a poller on processor \(processor)", error)
            }
            throw RunError(
                failed: "a poller cannot run on processor \(processor), which is off, or not one that this process may "
                    + "use (io_uring_setup: \(error))")
        }
    }
}
