import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// Accepts what epoll reports, until the stop signal comes: level-triggered, edge-triggered and exclusive alike.
///
/// Level-triggered, one connection is accepted for each report, because epoll reports the next one again; a loop
/// that `drains` goes on until `EAGAIN`, which edge-triggered waiting requires: what is left behind is not reported.
func acceptFromEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ waiting: EpollWaiting, drains: Bool,
    _ service: inout ServiceTimeSource, _ meter: WorkerMeter
) throws(Errno) {
    while true {
        let ready = try waiting.wait(in: epoll, events, meter)
        let before = meter[.operations]
        for index in 0..<ready {
            let token = Token(rawValue: events[index].token)
            if token.kind == .stop { return }
            repeat {
                guard let connection = try acceptPatiently(from: BorrowedDescriptor(rawValue: token.fd), meter)
                else {
                    meter.add(.emptyCalls)
                    break
                }
                try serveAndClose(connection, &service, meter)
            } while drains
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}
