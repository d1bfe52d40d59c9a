import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// The multishot accepts of a ring that accepts for others.
struct RingListeners {
    private var accepts: [MultishotAccept]

    /// - Parameter nonblocking: whether whoever gets the connections makes ordinary calls on them.
    init(_ listeners: [BorrowedDescriptor], nonblocking: Bool) {
        accepts = listeners.map { listener in
            var accept = MultishotAccept(listener: listener, token: Token(.listener, listener.rawValue).rawValue)
            accept.makesNonblocking = nonblocking
            return accept
        }
    }

    mutating func arm(on ring: inout Ring) throws(Errno) {
        for index in accepts.indices { try accepts[index].arm(on: &ring) }
    }

    /// One `io_uring_enter(2)`; a short one while an accept waits for something to be closed, and then that is armed again.
    @inline(__always) mutating func waitForCompletions(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
        guard accepts.contains(where: { $0.shortage != nil }) else {
            return try Loops.waitForCompletions(&ring, meter)
        }
        try waitShortly(&ring, meter)
        for index in accepts.indices {
            guard let shortage = accepts[index].shortage else { continue }
            let rearms = accepts[index].rearms
            try accepts[index].resume(on: &ring)
            guard accepts[index].rearms > rearms else { continue }
            meter.add(.rearms)
            try noteShortage(shortage, meter)
        }
    }

    /// The connection that a completion brought; nil if its accept ended without one.
    @inline(__always) mutating func accepted(
        _ completion: consuming Completion, _ ring: inout Ring, _ meter: WorkerMeter
    ) throws(Errno) -> OwnedDescriptor? {
        let token = completion.token
        guard let index = accepts.firstIndex(where: { $0.token == token }) else { return nil }
        let rearms = accepts[index].rearms
        let file = try accepts[index].accepted(completion, on: &ring)
        meter.add(.rearms, accepts[index].rearms - rearms)
        switch consume file {
        case .descriptor(let connection): return connection
        case .slot: return nil
        case nil: return nil
        }
    }
}

/// Closes what was accepted when the stop signal came; polls of connections are left to the end of the ring.
func closeUnaccepted(_ ring: inout Ring) {
    _ = try? ring.submit()
    while let completion = ring.nextCompletion() {
        guard Token(rawValue: completion.token).kind == .listener else { continue }
        _ = try? completion.takeDescriptor()
    }
}
