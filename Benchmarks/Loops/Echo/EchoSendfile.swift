import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// Answers what level-triggered epoll reports with replies from a file, and accepts where a listener is watched, until the
/// stop signal comes.
func answerFromFile(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ mode: Mode.Capabilities,
    _ file: borrowing ReplyFile, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    while true {
        let ready = try epoll.wait(into: events, timeout: worker.hasShortage ? .milliseconds(10) : nil)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = worker.progress
        for index in 0..<ready {
            let token = Token(rawValue: events[index].token)
            switch token.kind {
            case .stop: return
            case .listener: _ = try acceptInto(epoll, token.fd, mode, &worker)
            default: worker.answer(token.fd, from: file)
            }
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage {
            for listener in worker.pauseInShortage(since: before) {
                while try acceptInto(epoll, listener, mode, &worker) == .progress {}
            }
        }
    }
}

extension EchoWorker {
    /// One `recv(2)`, and one `sendfile(2)` with the replies to all requests that are whole.
    @inline(__always) mutating func answer(_ fd: CInt, from file: borrowing ReplyFile) {
        let receipt = receive(fd)
        _ = unsafe echo(fd, receipt) { unsafe file.send($0, to: fd) }
    }
}
