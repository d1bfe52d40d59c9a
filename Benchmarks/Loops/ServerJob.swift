import LinuxDescriptors
package import SystemPackage

/// What the workers of a server have in common, whatever they serve.
package protocol ServerJob: Sendable {
    /// Where the dispatcher puts what the workers take; nil without one.
    var queue: HandoffQueue? { get }
    /// Where a ring hands connections over to the rings of workers; nil without one.
    var handoff: RingHandoff? { get }
    /// Most connections that were open at once; nil where each worker counts its own.
    var openPeak: Int? { get }

    /// Lets the workers end; called when those who hand them work have.
    func release(_ workers: Int)
    /// Prepares what the mode waits with, passes the gate, and serves until told to stop.
    func run(_ member: WorkerTeam.Member) throws(Errno)
    /// Ends the calls in which workers wait for a connection.
    func hangUp()
    /// Closes what the workers left open.
    func closeLeftovers()
}

extension ServerJob {
    package var openPeak: Int? { nil }
    package func release(_ workers: Int) {
        queue?.release(workers)
        handoff?.release()
    }
    package func hangUp() {}
    package func closeLeftovers() {}
}
