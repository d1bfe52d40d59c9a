import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// How an echoing epoll loop treats its descriptors.
struct EpollRules {
    /// The flags of every registration.
    let flags: EpollEvents
    /// Goes on until `EAGAIN` before it waits again.
    let drains: Bool
}

/// Echoes what epoll reports, and accepts where a listener is watched, until the stop signal comes.
func echoFromEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ rules: EpollRules, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    while true {
        let ready = try epoll.wait(into: events, timeout: worker.isShort ? .milliseconds(10) : nil)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = worker.progress
        for index in 0..<ready {
            let token = Token(rawValue: events[index].token)
            if token.kind == .stop { return }
            // In a shared set others may have closed it since, and its number can be somebody else's by now.
            guard worker.hold(token) else { continue }
            var outcome: EchoOutcome
            repeat {
                if token.kind == .listener {
                    outcome = try acceptInto(epoll, token.number, rules, &worker)
                } else {
                    outcome = worker.receiveAndEcho(token.number)
                }
            } while rules.drains && outcome == .progress
            worker.letGo(token)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.isShort {
            for listener in worker.rest(since: before) {
                while try acceptInto(epoll, listener, rules, &worker) == .progress {}
            }
        }
    }
}

/// Takes one new connection and watches it.
private func acceptInto(
    _ epoll: borrowing Epoll, _ listener: CInt, _ rules: EpollRules, _ worker: inout EchoWorker
) throws(Errno) -> EchoOutcome {
    guard let number = try worker.accept(from: listener) else { return .empty }
    try epoll.add(BorrowedDescriptor(rawValue: number), rules.flags, token: worker.token(number).rawValue)
    worker.meter.add(.systemCalls)
    return .progress
}
