import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// A buffer that holds bytes, with room for no more unless a capacity is given.
func filled(_ bytes: [UInt8], capacity: Int? = nil) -> RequestBuffer {
    var buffer = RequestBuffer(capacity: capacity ?? bytes.count)
    _ = buffer.append(bytes.span.bytes)
    return buffer
}

extension TestRing {
    /// The next events, waited for.
    func events(_ count: Int) throws -> [SeenEvent] {
        var events: [SeenEvent] = []
        while events.count < count { events.append(SeenEvent(try awaited())) }
        return events
    }

    /// The error that a chain is refused with.
    func refusal(of chain: consuming RequestChain) -> Errno? {
        do throws(Errno) {
            try base.prepare(chain)
            return nil
        } catch {
            return error
        }
    }
}

extension SocketPair {
    /// Everything until the end of the stream, from the second.
    func readAll() -> [UInt8] { LinuxRingsTests.readAll(second) }
}

/// Everything until the end of the stream.
func readAll(_ end: CInt) -> [UInt8] {
    var all: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = recv(end, &bytes, bytes.count, 0)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return all }
        all += bytes.prefix(count)
    }
}
