import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Jobs whose connections one ring accepts for all workers.
extension EchoJob {
    /// The worker of a queue that a ring's thread fills, or that thread.
    func runRingDispatched(_ member: WorkerTeam.Member, _ worker: inout EchoWorker) throws(Errno) {
        guard let queue, let returned else { throw .invalidArgument }
        if member.index < plan.workers {
            member.gate.arriveAndWait()
            return try echoDispatched(queue, returned, &worker)
        }
        // The ring waits on listeners that block; workers must not wait on the connections.
        for fd in sockets { try BorrowedDescriptor(rawValue: fd).setNonblocking(true) }
        var ring = try makeRing()
        var accepts = RingListeners(listeners.map { BorrowedDescriptor(rawValue: $0) }, nonblocking: true)
        member.gate.arriveAndWait()
        defer { closeUnserved(&ring) }
        try dispatchFromRing(&ring, &accepts, connections: sockets, queue, returned, &worker)
    }

    /// The worker that other rings send connections to, or the thread that sends them.
    func runHandoff(_ member: WorkerTeam.Member, _ worker: inout EchoWorker) throws(Errno) {
        guard let handoff else { throw .invalidArgument }
        if member.index < plan.workers {
            // Not by the stop signal: what is on its way then is to be answered still.
            var ring = try makeRing(endedBy: handoff.end)
            handoff.mailboxes.announce(ring.descriptor, of: member.index)
            var group = BufferGroup(
                identifier: 0, count: traffic.bufferCount(for: 0), bytes: traffic.chunkBytes,
                headroom: traffic.longestRequestBytes)
            try ring.register(group)
            let streams = MultishotStreams(
                format, capacity: worker.connections.capacity, group, into: .descriptors)
            member.gate.arriveAndWait()
            defer { closeUnserved(&ring, takesHandedOver: true) }
            return try echoFromRingMultishot(
                &ring, RingWaiting(plan.loop.mode.options), &group, streams, listeners: [], connections: [], &worker)
        }
        var ring = try makeRing()
        var accepts = RingListeners(listeners.map { BorrowedDescriptor(rawValue: $0) })
        member.gate.arriveAndWait()
        defer { closeUnhanded(&ring) }
        try handOverAccepted(&ring, &accepts, handoff.mailboxes, member.meter)
    }
}
