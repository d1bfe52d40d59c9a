import Glibc

extension StreamClient where Format: ~Copyable {
    /// Sends what is queued and within the depth, as much as the socket takes.
    mutating func flush(_ index: Int) {
        while true {
            let stream = unsafe streams[index]
            let end = min(stream.queued, stream.received + depth)
            guard stream.isOpen, stream.sent < end else { return }
            var size = format.length(ofRequest: stream.sent, stream: index)
            var memory = unsafe format.request(stream.sent, stream: index, scratch: buffer)
            if end - stream.sent > 1, size < bufferBytes {
                unsafe memory = gather(index, from: stream.sent, to: end, memory, &size)
            }
            let rest = size - stream.sentBytes
            let sent = unsafe transport.send(index, stream.descriptor, memory + stream.sentBytes, rest)
            if sent < 0 {
                let error = CInt(-sent)
                // The last replies may still be there, or an alert that says why.
                if (Format.reconnects || transport.tls != nil) && (error == EPIPE || error == ECONNRESET) {
                    // An event follows, with what the server said before.
                    unsafe streams[index].sendError = error
                } else if error != EAGAIN {
                    drop(index, transport.cause("send", error, isFirst: stream.replies == 0))
                }
                return
            }
            if connecting > 0 { noteMade(index) }
            noteSent(index, sent)
            // With TLS the next call says why no more was taken.
            if sent < rest && transport.tls == nil { return }
        }
    }

    /// Puts requests behind the first one, as many as fit, so that one call sends them.
    private mutating func gather(
        _ index: Int, from first: UInt64, to end: UInt64, _ memory: UnsafeRawPointer, _ size: inout Int
    ) -> UnsafeRawPointer {
        if unsafe memory != UnsafeRawPointer(buffer) { unsafe buffer.copyMemory(from: memory, byteCount: size) }
        var number = first + 1
        while number < end {
            let length = format.length(ofRequest: number, stream: index)
            guard size + length <= bufferBytes else { break }
            let place = unsafe buffer + size
            let next = unsafe format.request(number, stream: index, scratch: place)
            if unsafe next != UnsafeRawPointer(place) { unsafe place.copyMemory(from: next, byteCount: length) }
            size += length
            number += 1
        }
        return unsafe UnsafeRawPointer(buffer)
    }

    @inline(__always) private func noteSent(_ index: Int, _ bytes: Int) {
        var bytes = bytes + (unsafe streams[index].sentBytes)
        var number = unsafe streams[index].sent
        while bytes > 0 {
            let length = format.length(ofRequest: number, stream: index)
            guard bytes >= length else { break }
            bytes -= length
            number += 1
        }
        unsafe streams[index].sent = number
        unsafe streams[index].sentBytes = bytes
    }
}
