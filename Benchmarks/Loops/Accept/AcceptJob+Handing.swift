import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Jobs whose connections one ring accepts for all workers.
extension AcceptJob {
    /// The worker of a queue that a ring's thread fills, or that thread.
    func runRingDispatched(_ member: WorkerTeam.Member, _ service: inout ServiceTimeSource) throws(Errno) {
        guard let queue else { throw .invalidArgument }
        if member.index < plan.workers {
            member.gate.arriveAndWait()
            return try serveDispatched(queue, &service, member.meter)
        }
        var ring = try makeRing()
        var accepts = RingListeners(listeners)
        member.gate.arriveAndWait()
        defer { closeUnserved(&ring) }
        try dispatchAccepted(&ring, &accepts, queue, member.meter)
    }

    /// The worker that other rings send connections to, or the thread that sends them.
    func runHandoff(_ member: WorkerTeam.Member, _ service: inout ServiceTimeSource) throws(Errno) {
        guard let handoff else { throw .invalidArgument }
        if member.index < plan.workers {
            // Not by the stop signal: what is on its way then is to be served still.
            var ring = try makeRing(endedBy: handoff.end)
            handoff.mailboxes.announce(ring.descriptor, of: member.index)
            member.gate.arriveAndWait()
            defer { closeUnserved(&ring, takesHandedOver: true) }
            return try acceptHandedOver(&ring, &service, member.meter)
        }
        var ring = try makeRing()
        var accepts = RingListeners(listeners)
        member.gate.arriveAndWait()
        defer { closeUnhanded(&ring) }
        try handOverAccepted(&ring, &accepts, handoff.mailboxes, member.meter)
    }
}
