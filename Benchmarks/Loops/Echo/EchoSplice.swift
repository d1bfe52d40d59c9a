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
            default: try worker.spliceBack(token.fd, &pipe)
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
    /// One `splice(2)` from the socket into the pipe, and one back to the socket.
    @inline(__always) mutating func spliceBack(_ fd: CInt, _ pipe: inout SplicePipe) throws(Errno) {
        meter.add(.systemCalls)
        let count = pipe.fill(from: fd, atMost: capacity)
        guard count > 0 else {
            let isEmpty = count == -Int(EAGAIN) || count == -Int(EINTR)
            _ = noBytes(fd, -CInt(count), isEmpty ? 0 : connections.partialBytes(fd))
            return
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
            return
        }
        replied(whole)
        if closesAfterReply && whole > 0 { close(fd) }
    }
}
