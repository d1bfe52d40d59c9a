import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Accepts with ordinary calls what an io_uring poll reports, until the stop signal comes. The poll reports changes,
/// so each report is drained to `EAGAIN`.
func acceptFromRingPoll(
    _ ring: inout Ring, _ waiting: RingWaiting, _ listener: BorrowedDescriptor, _ service: inout ServiceTimeSource,
    _ meter: WorkerMeter
) throws(Errno) {
    let token = Token(.listener, listener.rawValue).rawValue
    try ring.prepareMultishotPoll(listener, .readable, token: token)
    while true {
        try waitForCompletions(&ring, waiting, meter)
        let before = meter[.operations]
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if Token(rawValue: completion.token).kind == .stop { return }
            if let error = completion.error { throw error }
            while let connection = try acceptPatiently(from: listener, meter) {
                try serveAndClose(connection, &service, meter)
            }
            meter.add(.emptyCalls)
            guard !completion.isArmed else { continue }
            meter.add(.rearms)
            try ring.prepareMultishotPoll(listener, .readable, token: token)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}
