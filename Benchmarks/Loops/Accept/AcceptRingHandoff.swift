import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Accepts all connections with one ring and hands each to the ring of the worker whose turn it is, with a message, until
/// the stop signal comes. One `io_uring_enter(2)` sends the messages of all connections that were ready, and waits.
func handOverAccepted(
    _ ring: inout Ring, _ listeners: inout RingListeners, _ mailboxes: RingMailboxes, _ meter: WorkerMeter
) throws(Errno) {
    try listeners.arm(on: &ring)
    var turn = 0
    while true {
        try listeners.waitForCompletions(&ring, RingWaiting(), meter)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let token = Token(rawValue: completion.token)
            switch token.kind {
            case .stop:
                return
            case .send:
                throw closeUndelivered(completion)
            default:
                guard let connection = try listeners.acceptedDescriptor(completion, &ring, meter) else { continue }
                guard let worker = mailboxes.next(&turn) else { throw .noSuchProcess }
                let fd = connection.release().rawValue
                try ring.prepareMessage(
                    to: worker, result: fd, messageToken: Token(.connection).rawValue, .skipSuccess,
                    token: Token(.send, fd).rawValue)
            }
        }
    }
}

/// Closes the connection whose message could not be sent; returns why.
private func closeUndelivered(_ completion: borrowing Completion) -> Errno {
    let fd = Token(rawValue: completion.token).fd
    _ = OwnedDescriptor(owning: FileDescriptor(rawValue: fd))
    return completion.error ?? .invalidArgument
}

/// Sends what is still to be handed over, and closes what cannot be, and what was accepted meanwhile.
func closeUnhanded(_ ring: inout Ring) {
    _ = try? ring.submit()
    while let completion = ring.nextCompletion() {
        switch Token(rawValue: completion.token).kind {
        case .listener: _ = try? completion.takeDescriptor()
        case .send: _ = closeUndelivered(completion)
        default: break
        }
    }
}

/// Serves and closes the connections whose messages come to this worker's ring, until the stop signal comes.
func acceptHandedOver(
    _ ring: inout Ring, _ service: inout ServiceTimeSource, _ meter: WorkerMeter
) throws(Errno) {
    while true {
        try waitForCompletions(&ring, RingWaiting(), meter)
        let before = meter[.operations]
        meter.noteOpen(UInt64(ring.readyCompletions))
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let kind = Token(rawValue: completion.token).kind
            if kind == .stop { return }
            if kind == .close, let error = completion.error { throw error }
            guard kind == .connection else { continue }
            let connection = try completion.takeDescriptor()
            meter.began()
            service.serve(meter)
            try ring.prepareClose(connection, .skipSuccess, token: Token(.close).rawValue)
            meter.add(.operations)
            // A client must not wait for the service of others: a busy worker hands each close over at once.
            if service.isBusy { try submitAtOnce(&ring, meter) }
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}
