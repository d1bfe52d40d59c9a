import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// Echoes what level-triggered epoll reports through a pipe, and accepts where a listener is watched, until the stop
/// signal comes. Nothing sees the bytes: a message is so many of them.
func echoBySplicing(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ mode: Mode.Capabilities,
    _ pipe: inout SplicePipe, _ worker: inout EchoWorker
) throws(Errno) {
    try serveFromEpoll(epoll, events, mode, &worker) { fd, worker throws(Errno) in
        try worker.spliceBack(fd, &pipe)
    }
}

extension EchoWorker {
    /// One `splice(2)` from the socket into the pipe, and one back to the socket.
    @inline(__always) mutating func spliceBack(_ fd: CInt, _ pipe: inout SplicePipe) throws(Errno) -> EchoOutcome {
        meter.add(.systemCalls)
        let count = pipe.fill(from: fd, atMost: capacity)
        guard count > 0 else {
            let isEmpty = count == -Int(EAGAIN) || count == -Int(EINTR)
            return noBytes(fd, -CInt(count), isEmpty ? 0 : connections.partialBytes(fd)) == .empty ? .empty : .closed
        }
        progress += 1
        let whole = connections.completed(fd, adding: count, of: format.messageBytes)
        serveUnseen(whole)
        // The bytes are in the pipe: only their number goes through.
        let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: count)
        let isSent = unsafe sendAll(fd, bytes) { pipe.drain(into: fd, count: $0.count) }
        guard isSent else {
            // What nobody took must not go to the next connection.
            pipe = try SplicePipe(bytes: capacity)
            return .closed
        }
        replied(whole)
        guard closesAfterReply && whole > 0 else { return .progress }
        close(fd)
        return .closed
    }
}
