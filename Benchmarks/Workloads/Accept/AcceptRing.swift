import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Completions of an accept carry it.
let acceptToken: UInt64 = 1

/// Completions of a close that failed carry it.
private let closeToken: UInt64 = 2

/// Accepts with one io_uring request for each connection, until the stop signal comes. One `io_uring_enter(2)`
/// hands over the close and the next accept and waits.
func acceptRingSingle(
    _ ring: inout Ring, _ listener: FileDescriptor, _ server: inout Server, _ meter: WorkerMeter
) throws(Errno) {
    try ring.prepareAccept(on: listener, token: acceptToken)
    while true {
        try waitForCompletions(&ring, meter)
        let before = meter[.operations]
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if completion.token == stopToken { return }
            if let error = completion.error { throw error }
            meter.began()
            meter.opened()
            server.serve(meter)
            let connection = OwnedDescriptor(owning: FileDescriptor(rawValue: completion.result))
            try ring.prepareClose(connection, .skipSuccess, token: closeToken)
            try ring.prepareAccept(on: listener, token: acceptToken)
            meter.closed()
            meter.add(.operations)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// Accepts with one io_uring request that completes for every connection, until the stop signal comes. One
/// `io_uring_enter(2)` hands over the closes of all connections that were ready, and waits.
func acceptRingMultishot(
    _ ring: inout Ring, _ accept: inout MultishotAccept, _ server: inout Server, _ meter: WorkerMeter
) throws(Errno) {
    try accept.arm(on: &ring)
    while true {
        try waitForCompletions(&ring, meter)
        let before = meter[.operations]
        meter.set(.open, UInt64(ring.readyCompletions))
        if meter[.open] > meter[.openPeak] { meter.set(.openPeak, meter[.open]) }
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if completion.token == stopToken { return }
            if completion.token == closeToken, let error = completion.error { throw error }
            guard let connection = try accept.accepted(completion, on: &ring) else { continue }
            meter.began()
            server.serve(meter)
            switch accept.destination {
            case .descriptors:
                let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: connection))
                try ring.prepareClose(owned, .skipSuccess, token: closeToken)
            case .slots:
                try ring.prepareCloseDirect(slot: UInt32(connection), .skipSuccess, token: closeToken)
            }
            meter.add(.operations)
            // A client must not wait for the service of others: a busy worker hands each close over at once.
            if server.isBusy { try ring.submit() }
        }
        meter.set(.rearms, accept.rearms)
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// One `io_uring_enter(2)`, with what the ring counted since the last one.
@inline(__always)
private func waitForCompletions(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    let enters = ring.enters
    let submitted = ring.submitted
    try ring.submitAndWait()
    meter.add(.systemCalls, ring.enters - enters)
    meter.add(.submissions, ring.submitted - submitted)
    meter.add(.wakeups)
}
