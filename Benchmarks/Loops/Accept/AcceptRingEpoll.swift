import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Accepts what an epoll set reports through a ring, level-triggered, until the stop signal comes. One
/// `io_uring_enter(2)` hands over the next wait for the set, and waits; it brings the events themselves.
func acceptFromRingEpoll(
    _ ring: inout Ring, _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer,
    _ service: inout ServiceTimeSource, _ meter: WorkerMeter
) throws(Errno) {
    unsafe try ring.prepareEpollWait(epoll.descriptor, into: events.memory, token: Token(.receive).rawValue)
    while true {
        try waitForCompletions(&ring, RingWaiting(), meter)
        let before = meter[.operations]
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if let error = completion.error { throw error }
            for index in 0..<Int(completion.result) {
                let token = Token(rawValue: events[index].token)
                if token.kind == .stop { return }
                if let connection = try acceptPatiently(from: BorrowedDescriptor(rawValue: token.fd), meter) {
                    try serveAndClose(connection, &service, meter)
                } else {
                    meter.add(.emptyCalls)
                }
            }
            unsafe try ring.prepareEpollWait(epoll.descriptor, into: events.memory, token: completion.token)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}
