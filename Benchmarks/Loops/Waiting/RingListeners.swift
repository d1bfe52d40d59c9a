import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// The multishot accepts of a ring.
struct RingListeners {
    private var accepts: [MultishotAccept]

    /// - Parameters:
    ///   - destination: where connections go.
    ///   - nonblocking: whether whoever gets the connections makes ordinary calls on them.
    init(
        _ listeners: [BorrowedDescriptor], into destination: MultishotAccept.Destination = .descriptors,
        nonblocking: Bool = false
    ) {
        accepts = listeners.map { listener in
            var accept = MultishotAccept(
                listener: listener, into: destination, token: Token(.listener, listener.rawValue).rawValue)
            accept.makesNonblocking = nonblocking
            return accept
        }
    }

    mutating func arm(on ring: inout Ring) throws(Errno) {
        for index in accepts.indices { try accepts[index].arm(on: &ring) }
    }

    /// True while an accept waits for something to be closed.
    var hasShortage: Bool { accepts.contains { $0.shortage != nil } }

    /// Arms the accepts that a shortage ended, if it is time.
    mutating func resume(on ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
        for index in accepts.indices {
            guard let shortage = accepts[index].shortage else { continue }
            let rearms = accepts[index].rearms
            try accepts[index].resume(on: &ring)
            guard accepts[index].rearms > rearms else { continue }
            meter.add(.rearms)
            try noteShortage(shortage, meter)
        }
    }

    /// One `io_uring_enter(2)`; a short one while an accept waits for something to be closed, and then that is armed again.
    @inline(__always) mutating func waitForCompletions(
        _ ring: inout Ring, _ waiting: RingWaiting, _ meter: WorkerMeter
    ) throws(Errno) {
        guard hasShortage else { return try Loops.waitForCompletions(&ring, waiting, meter) }
        try waitShortly(&ring, meter)
        try resume(on: &ring, meter)
    }

    /// The connection that a completion brought; nil if its accept ended without one.
    @inline(__always) mutating func accepted(
        _ completion: consuming Completion, _ ring: inout Ring, _ meter: WorkerMeter
    ) throws(Errno) -> AcceptedFile? {
        let token = completion.token
        guard let index = accepts.firstIndex(where: { $0.token == token }) else { return nil }
        let rearms = accepts[index].rearms
        let file = try accepts[index].accepted(completion, on: &ring)
        meter.add(.rearms, accepts[index].rearms - rearms)
        return file
    }

    /// The same of a ring without slots.
    @inline(__always) mutating func acceptedDescriptor(
        _ completion: consuming Completion, _ ring: inout Ring, _ meter: WorkerMeter
    ) throws(Errno) -> OwnedDescriptor? {
        switch try accepted(completion, &ring, meter) {
        case .descriptor(let connection): return connection
        case .slot: return nil
        case nil: return nil
        }
    }
}
