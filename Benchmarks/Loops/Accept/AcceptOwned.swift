import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Accepts what an `InterestSet` reports, one connection for each report, until the stop signal comes.
func acceptFromInterestSet(
    _ set: inout InterestSet, spin: UInt64, _ stop: InterestToken, _ service: inout ServiceTimeSource,
    _ meter: WorkerMeter
) throws(Errno) {
    while true {
        let isReady = spin == 0 ? false : try set.look(spin, meter)
        if !isReady { _ = try set.wait() }
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = meter[.operations]
        while let event = set.nextEvent() {
            if event.token == stop { return }
            guard let listener = set.descriptor(of: event.token) else { continue }
            try acceptOne(listener.rawValue, &service, meter)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// Accepts with one request of a `DescriptorRing` that completes for every connection, until the stop signal comes.
func acceptFromDescriptorRing(
    _ ring: inout DescriptorRing, _ stop: RingToken, _ listener: RingToken, _ service: inout ServiceTimeSource,
    _ meter: WorkerMeter
) throws(Errno) {
    try ring.prepareAccept(listener)
    meter.add(.submissions, 2)
    while true {
        try ring.wait(meter)
        let before = meter[.operations]
        while let event = ring.nextEvent() {
            meter.add(.completions)
            if event.token == stop { return }
            let isArmed = event.isArmed
            if let connection = try takeConnection(event, meter) {
                try serveAndClose(Connection(owning: connection), &service, meter)
            }
            if isArmed { continue }
            meter.add(.rearms)
            meter.add(.submissions)
            try ring.prepareAccept(listener)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}
