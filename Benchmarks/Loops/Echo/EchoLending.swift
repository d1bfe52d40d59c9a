import LinuxReadiness
import Meters
import SystemPackage

/// Echoes what level-triggered epoll reports from where it is in memory, and accepts where a listener is watched, until the
/// stop signal comes.
func echoFromWhereItIs(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ mode: Mode.Capabilities,
    _ lending: inout Lending, _ worker: inout EchoWorker
) throws(Errno) {
    try serveFromEpoll(epoll, events, mode, &worker) { fd, worker throws(Errno) in
        try worker.lendBack(fd, &lending)
    }
}

extension EchoWorker {
    /// One `recv(2)`, and for all messages that are whole a `vmsplice(2)` of them into the pipe and a `splice(2)` to the
    /// socket.
    @inline(__always) mutating func lendBack(_ fd: CInt, _ lending: inout Lending) throws(Errno) -> EchoOutcome {
        unsafe buffer = try unsafe lending.next(meter)
        let receipt = receive(fd)
        if case .requests(let count) = receipt { lending.lend(count * format.messageBytes) }
        let meter = meter
        let outcome = unsafe echo(fd, receipt) { unsafe lending.pipe.send($0, to: fd, meter) }
        try lending.dropRest()
        return outcome
    }
}
