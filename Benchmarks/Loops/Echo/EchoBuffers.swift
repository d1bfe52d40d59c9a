import LinuxRings
import SystemPackage

/// Where a ring puts what arrives for all its connections, and from where it is answered: all that loops differ in which
/// receive a buffer with each completion, or several, or parts of them.
protocol EchoBuffers: ~Copyable {
    /// Serves what a completion brought, the first of it in `buffer`, and queues the replies to its whole requests.
    @unsafe mutating func received(
        _ completion: borrowing Completion, _ buffer: UInt16, _ fd: CInt, _ streams: MultishotStreams,
        _ ring: inout Ring, _ worker: inout EchoWorker) throws(Errno)

    /// Takes note of a send, and goes on with what is left of it or with what waits behind it.
    @unsafe mutating func sent(
        _ completion: borrowing Completion, _ fd: CInt, _ streams: MultishotStreams, _ ring: inout Ring,
        _ worker: inout EchoWorker) throws(Errno)
}

/// Each completion brings a buffer, which one send after the other is made from.
extension BufferGroup: EchoBuffers {
    @unsafe @inline(__always) mutating func received(
        _ completion: borrowing Completion, _ buffer: UInt16, _ fd: CInt, _ streams: MultishotStreams,
        _ ring: inout Ring, _ worker: inout EchoWorker
    ) throws(Errno) {
        try unsafe streams.echo(fd, buffer, Int(completion.result), &self, &ring, &worker)
    }

    @unsafe @inline(__always) mutating func sent(
        _ completion: borrowing Completion, _ fd: CInt, _ streams: MultishotStreams, _ ring: inout Ring,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        try unsafe streams.sent(fd, completion, &self, &ring, &worker)
    }
}
