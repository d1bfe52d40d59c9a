import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// Echoes what epoll reports, and accepts where a listener is watched, until the stop signal comes.
func echoFromEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ mode: Mode.Capabilities,
    _ worker: inout EchoWorker
) throws(Errno) {
    try serveFromEpoll(epoll, events, mode, &worker) { fd, worker throws(Errno) in worker.receiveAndEcho(fd) }
}

/// Accepts where a listener is watched, and lets `answer` serve the connections that epoll reports, until the stop signal
/// comes.
@inline(__always)
func serveFromEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ mode: Mode.Capabilities,
    _ worker: inout EchoWorker, _ answer: (CInt, inout EchoWorker) throws(Errno) -> EchoOutcome
) throws(Errno) {
    let meter = worker.meter
    let waiting = worker.waiting
    while true {
        let ready = try waiting.wait(in: epoll, events, timeout: worker.hasShortage ? .milliseconds(10) : nil, meter)
        let before = worker.progress
        for index in 0..<ready {
            let token = Token(rawValue: events[index].token)
            if token.kind == .stop { return }
            // In a shared set another worker may have closed it since, and its fd can be another connection's.
            guard worker.acquire(token) else { continue }
            var outcome: EchoOutcome
            repeat {
                if token.kind == .listener {
                    outcome = try acceptInto(epoll, token.fd, mode, &worker)
                } else {
                    outcome = try answer(token.fd, &worker)
                }
            } while mode.drains && outcome == .progress
            worker.release(token)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage {
            for listener in worker.pauseInShortage(since: before) {
                while try acceptInto(epoll, listener, mode, &worker) == .progress {}
            }
        }
    }
}

/// Takes one new connection and watches it.
func acceptInto(
    _ epoll: borrowing Epoll, _ listener: CInt, _ mode: Mode.Capabilities, _ worker: inout EchoWorker
) throws(Errno) -> EchoOutcome {
    guard let fd = try worker.accept(from: listener) else { return .empty }
    try epoll.add(BorrowedDescriptor(rawValue: fd), mode.flags, token: worker.token(fd).rawValue)
    worker.meter.add(.systemCalls)
    return .progress
}
