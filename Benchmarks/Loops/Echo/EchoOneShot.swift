import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// Echoes once for each event and arms the registration again, until the stop signal comes.
///
/// Armed again `late`, after the reply was sent, a connection is with one worker at a time and its messages stay in order;
/// armed `early`, right after the receive, another worker can be woken for the next messages meanwhile.
func echoOneShot(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ rearm: Rearm, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    let waiting = worker.waiting
    while true {
        _ = try waiting.wait(in: epoll, events, meter)
        let before = worker.progress
        let token = Token(rawValue: events[0].token)
        if token.kind == .stop { return }
        if token.kind == .listener {
            if let fd = try worker.accept(from: token.fd) {
                try epoll.add(
                    BorrowedDescriptor(rawValue: fd), oneShotFlags, token: worker.token(fd).rawValue)
                meter.add(.systemCalls)
            }
            try armAgain(token, in: epoll, meter)
        } else if worker.acquire(token) {
            let received = worker.receive(token.fd)
            if rearm == .early && received != .closed { try armAgain(token, in: epoll, meter) }
            let outcome = worker.echo(token.fd, received)
            if rearm == .late && outcome != .closed { try armAgain(token, in: epoll, meter) }
            worker.release(token)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage { _ = worker.pauseInShortage(since: before) }
    }
}

/// `EPOLL_CTL_MOD`, which reports at once if something is waiting already.
@inline(__always)
private func armAgain(_ token: Token, in epoll: borrowing Epoll, _ meter: WorkerMeter) throws(Errno) {
    try epoll.modify(BorrowedDescriptor(rawValue: token.fd), oneShotFlags, token: token.rawValue)
    meter.add(.systemCalls)
}
