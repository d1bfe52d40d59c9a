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
    try serveFromEpoll(epoll, events, mode, &worker) { fd, worker throws(Errno) in worker.answer(fd, from: file) }
}

extension EchoWorker {
    /// One `recv(2)`, and one `sendfile(2)` with the replies to all requests that are whole.
    @inline(__always) mutating func answer(_ fd: CInt, from file: borrowing ReplyFile) -> EchoOutcome {
        let receipt = receive(fd)
        return unsafe echo(fd, receipt) { unsafe file.send($0, to: fd) }
    }
}
