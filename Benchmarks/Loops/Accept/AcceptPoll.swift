import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// Accepts what poll reports, one connection for each report, until the stop signal comes.
func acceptFromPoll(
    _ set: inout PollSet, spin: UInt64, _ service: inout ServiceTimeSource, _ meter: WorkerMeter
) throws(Errno) {
    while true {
        try set.wait(spinning: spin, meter)
        let before = meter[.operations]
        if set.entries[0].revents != 0 { return }
        for entry in set.entries where entry.revents != 0 {
            try acceptOne(entry.fd, &service, meter)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// Accepts what select reports, one connection for each report, until the stop signal comes.
func acceptFromSelect(
    _ set: inout SelectSet, spin: UInt64, _ service: inout ServiceTimeSource, _ meter: WorkerMeter
) throws(Errno) {
    while true {
        try set.wait(spinning: spin, meter)
        let before = meter[.operations]
        if set.isReady(set.descriptors[0]) { return }
        for listener in set.descriptors where set.isReady(listener) {
            try acceptOne(listener, &service, meter)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// One `accept4(2)`, and the operation if it returned a connection.
@inline(__always)
func acceptOne(_ listener: CInt, _ service: inout ServiceTimeSource, _ meter: WorkerMeter) throws(Errno) {
    if let connection = try acceptPatiently(from: BorrowedDescriptor(rawValue: listener), meter) {
        try serveAndClose(connection, &service, meter)
    } else {
        meter.add(.emptyCalls)
    }
}
