import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Accepts with one io_uring request for each connection, until the stop signal comes. One `io_uring_enter(2)`
/// hands over the close and the next accept and waits.
func acceptRingSingle(
    _ ring: inout Ring, _ waiting: RingWaiting, _ listener: BorrowedDescriptor, _ service: inout ServiceTimeSource,
    _ meter: WorkerMeter
) throws(Errno) {
    try ring.prepareAccept(on: listener, token: Token(.listener).rawValue)
    while true {
        try waitForCompletions(&ring, waiting, meter)
        let before = meter[.operations]
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let kind = Token(rawValue: completion.token).kind
            if kind == .stop { return }
            if kind == .close, let error = completion.error { throw error }
            guard let connection = try takeConnection(completion, meter) else {
                try ring.prepareAccept(on: listener, token: Token(.listener).rawValue)
                continue
            }
            meter.began()
            meter.opened()
            service.serve(meter)
            try ring.prepareClose(connection, .skipSuccess, token: Token(.close).rawValue)
            try ring.prepareAccept(on: listener, token: Token(.listener).rawValue)
            meter.closed()
            meter.add(.operations)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// Accepts with one io_uring request that completes for every connection, until the stop signal comes. One
/// `io_uring_enter(2)` hands over the closes of all connections that were ready, and waits.
func acceptRingMultishot(
    _ ring: inout Ring, _ waiting: RingWaiting, _ accept: inout MultishotAccept, _ service: inout ServiceTimeSource,
    _ meter: WorkerMeter
) throws(Errno) {
    try accept.arm(on: &ring)
    while true {
        try waitForCompletions(&ring, waiting, resuming: &accept, meter)
        let before = meter[.operations]
        meter.noteOpen(UInt64(ring.readyCompletions))
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let kind = Token(rawValue: completion.token).kind
            if kind == .stop { return }
            if kind == .close, let error = completion.error { throw error }
            guard let accepted = try accept.accepted(completion, on: &ring) else { continue }
            meter.began()
            service.serve(meter)
            switch consume accepted {
            case .descriptor(let connection):
                try ring.prepareClose(connection, .skipSuccess, token: Token(.close).rawValue)
            case .slot(let slot):
                try ring.prepareClose(slot: slot, .skipSuccess, token: Token(.close).rawValue)
            }
            meter.add(.operations)
            // A client must not wait for the service of others: a busy worker hands each close over at once.
            if service.isBusy { try submitAtOnce(&ring, meter) }
        }
        meter.set(.rearms, accept.rearms)
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// Closes what was accepted and not served when the stop signal came: queued closes are handed over, and accepts that
/// completed meanwhile are taken. What goes into slots ends with the ring.
///
/// - Parameter takesHandedOver: whether completions about connections bring descriptors that other rings have handed
///   over; else they are polls.
func closeUnserved(_ ring: inout Ring, takesHandedOver: Bool = false) {
    _ = try? ring.submit()
    while let completion = ring.nextCompletion() {
        let kind = Token(rawValue: completion.token).kind
        guard kind == .listener || takesHandedOver && kind == .connection else { continue }
        _ = try? completion.takeDescriptor()
    }
}
