import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// What the accepting loops of one worker work on. Everything in it is borrowed from the run.
struct AcceptWorker: Sendable {
    let plan: RunPlan
    let member: WorkerTeam.Member
    /// The listeners this worker accepts from.
    let listeners: [BorrowedDescriptor]
    /// The set that all workers share; nil if this worker makes its own.
    let sharedSet: SharedEpoll?
    /// The dispatcher's queue.
    let queue: HandoffQueue?

    /// Prepares what the mode waits with, passes the gate, and accepts until told to stop.
    func run() throws(Errno) {
        let meter = member.meter
        let gate = member.gate
        var server = Server(plan.service, seed: plan.seed &+ UInt64(member.index))
        switch plan.mode.mechanism {
        case .blocking:
            gate.arriveAndWait()
            try acceptBlocking(listeners[0], &server, meter)
        case .epoll(let flags, let drains):
            let set = try set(flags.union(.readable))
            let events = EpollEventBuffer(capacity: 64)
            gate.arriveAndWait()
            if plan.implementation == .c {
                try referenceEpoll(set.epoll, drains: drains, meter)
            } else {
                try acceptFromEpoll(set.epoll, events, drains: drains, &server, meter)
            }
        case .epollOneShot:
            let set = try set(oneShotFlags)
            let events = EpollEventBuffer(capacity: 1)
            gate.arriveAndWait()
            try acceptOneShot(set.epoll, events, plan.rearm, &server, meter)
        case .select:
            var set = try SelectSet(stop: member.stop.rawValue, listeners: listeners.map(\.rawValue), connections: [])
            gate.arriveAndWait()
            try acceptFromSelect(&set, &server, meter)
        case .poll:
            var set = PollSet(
                stop: member.stop.rawValue, listeners: listeners.map(\.rawValue), connections: [], capacity: 0)
            gate.arriveAndWait()
            try acceptFromPoll(&set, &server, meter)
        case .dispatcher:
            guard let sharedSet, let queue else { throw .invalidArgument }
            gate.arriveAndWait()
            if member.index == plan.workers {
                let events = EpollEventBuffer(capacity: 64)
                try dispatchAccepted(sharedSet.epoll, events, queue, meter)
            } else {
                try serveDispatched(queue, &server, meter)
            }
        case .ringPoll:
            var ring = try makeRing()
            gate.arriveAndWait()
            try acceptFromRingPoll(&ring, listeners[0], &server, meter)
        case .ringSingle:
            var ring = try makeRing()
            gate.arriveAndWait()
            defer { closeRest(&ring) }
            try acceptRingSingle(&ring, listeners[0], &server, meter)
        case .ringMultishot(let destination):
            if plan.implementation == .c {
                gate.arriveAndWait()
                try referenceMultishot(meter)
            } else {
                var ring = try makeRing()
                if destination == .slots { try ring.registerFileSlots(count: plan.slotCount) }
                gate.arriveAndWait()
                defer { if destination == .descriptors { closeRest(&ring) } }
                var accept = MultishotAccept(
                    listener: listeners[0], into: destination, token: Token(.listener).rawValue)
                try acceptRingMultishot(&ring, &accept, &server, meter)
            }
        }
    }

    /// The shared set, or one of this worker's own with its listeners and the stop signal.
    private func set(_ flags: EpollEvents) throws(Errno) -> SharedEpoll {
        if let sharedSet { return sharedSet }
        return try SharedEpoll(listeners.map(\.rawValue), [], flags, stop: member.stop)
    }

    /// A ring of this thread that waits for the stop signal.
    private func makeRing() throws(Errno) -> Ring {
        var ring = try Ring.forThisThread(entries: ringEntries, completions: 2 * ringEntries)
        try ring.preparePoll(member.stop, .readable, token: Token(.stop).rawValue)
        return ring
    }

    /// Room for an accept and a close for each connection that can be ready at once.
    private var ringEntries: UInt32 {
        UInt32(clamping: min(max(2 * plan.outstanding, 64), 4096))
    }
}

/// Serves an accepted connection and closes it: the operation of the accept workload.
@inline(__always)
func serveAndClose(_ connection: consuming Connection, _ server: inout Server, _ meter: WorkerMeter) throws(Errno) {
    meter.began()
    meter.opened()
    server.serve(meter)
    try connection.close()
    meter.add(.systemCalls)
    meter.closed()
    meter.add(.operations)
}
