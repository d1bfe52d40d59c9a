import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// A registration that reports one event and then waits to be armed again.
let oneShotFlags: EpollEvents = [.readable, .edgeTriggered, .oneShot]

/// Accepts one connection for each event and arms the listener again, until the stop signal comes.
///
/// Armed again `late`, after the connection was served, only one worker at a time is between accept and close; armed
/// `early`, right after the accept, others can be woken meanwhile.
func acceptOneShot(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ waiting: EpollWaiting, _ rearm: Rearm,
    _ service: inout ServiceTimeSource, _ meter: WorkerMeter
) throws(Errno) {
    while true {
        _ = try waiting.wait(in: epoll, events, meter)
        let token = Token(rawValue: events[0].token)
        if token.kind == .stop { return }
        let listener = BorrowedDescriptor(rawValue: token.fd)

        guard let connection = try acceptPatiently(from: listener, meter) else {
            meter.add(.emptyCalls)
            meter.add(.spuriousWakeups)
            try armAgain(listener, in: epoll, meter)
            continue
        }
        if rearm == .early { try armAgain(listener, in: epoll, meter) }
        try serveAndClose(connection, &service, meter)
        if rearm == .late { try armAgain(listener, in: epoll, meter) }
    }
}

/// `EPOLL_CTL_MOD`, which reports at once if a connection is waiting already.
@inline(__always)
private func armAgain(
    _ listener: BorrowedDescriptor, in epoll: borrowing Epoll, _ meter: WorkerMeter
) throws(Errno) {
    try epoll.modify(listener, oneShotFlags, token: Token(.listener, listener.rawValue).rawValue)
    meter.add(.systemCalls)
}
