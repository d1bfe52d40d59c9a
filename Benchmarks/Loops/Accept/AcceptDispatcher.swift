import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// Accepts all connections and hands them to the workers, until the stop signal comes.
func dispatchAccepted(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ waiting: EpollWaiting, _ queue: HandoffQueue,
    _ meter: WorkerMeter
) throws(Errno) {
    while true {
        let ready = try waiting.wait(in: epoll, events, meter)
        for index in 0..<ready {
            let token = Token(rawValue: events[index].token)
            if token.kind == .stop { return }
            while let connection = try acceptPatiently(from: BorrowedDescriptor(rawValue: token.fd), meter) {
                // A worker serves it while the next is accepted; handed over together, the last of a long queue would be
                // accepted before the first is served.
                queue.put(connection.release().release().rawValue)
                meter.noteOpen(queue.waiting)
                try queue.give(1, meter)
            }
            meter.add(.emptyCalls)
        }
    }
}

/// Serves and closes the connections that the dispatcher hands over.
func serveDispatched(_ queue: HandoffQueue, _ service: inout ServiceTimeSource, _ meter: WorkerMeter) throws(Errno) {
    while let fd = try queue.take(meter) {
        let connection = Connection(owning: OwnedDescriptor(owning: FileDescriptor(rawValue: fd)))
        try serveAndClose(connection, &service, meter)
    }
}
