import CSocketExtras
import Glibc
import Meters
import SystemPackage

/// How the bytes of one thread's connections go: as they are, by TLS, or with the time at which they came.
///
/// Calls return the negative error instead of setting `errno`. Connections are known by their number.
struct Transport {
    /// Nil of plain connections.
    let tls: TLSSessions?

    /// Receives with the kernel's time stamps; nil where they are not wanted.
    let stamps: ArrivalStamps?

    init(_ plan: LoadPlan, capacity: Int) {
        tls = plan.tls.map { TLSSessions($0, capacity: capacity) }
        stamps = plan.takesStamps ? ArrivalStamps() : nil
    }

    /// Makes the connections ready whose other end is there.
    ///
    /// - Parameter start: asked again and again whether it is given up; `ECANCELED` is thrown when it says so.
    func connect(_ descriptors: [CInt], _ start: ClientStart) throws(Errno) {
        for descriptor in descriptors { stamps?.enable(descriptor) }
        try tls?.connect(descriptors, start)
    }

    /// Takes a connection that is under way.
    @inline(__always) func open(_ index: Int, _ descriptor: CInt) {
        stamps?.enable(descriptor)
        tls?.open(index, descriptor)
    }

    /// To be called before a connection is closed.
    @inline(__always) func close(_ index: Int) { tls?.close(index) }

    @unsafe @inline(__always) func send(
        _ index: Int, _ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Int {
        if let tls { return unsafe tls.send(index, bytes, count) }
        let sent = unsafe Glibc.send(descriptor, bytes, count, CInt(MSG_NOSIGNAL))
        return sent < 0 ? -Int(errno) : sent
    }

    @unsafe @inline(__always) func receive(
        _ index: Int, _ descriptor: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
        if let tls { return unsafe tls.receive(index, buffer, count) }
        if let stamps { return unsafe stamps.receive(descriptor, buffer, count) }
        let received = unsafe recv(descriptor, buffer, count, 0)
        return received < 0 ? -Int(errno) : received
    }

    /// When the kernel had what was received last, by the real clock; 0 if that is not known.
    var arrival: UInt64 { stamps?.arrival ?? 0 }

    /// True if nothing was left to be received when `received` bytes of `count` came: what comes later is an event.
    @inline(__always) func isDrained(_ index: Int, _ received: Int, of count: Int) -> Bool {
        tls.map { $0.isDrained(index) } ?? (received < count)
    }

    /// True if the connection was cut off, which anybody on the way can do, and not ended by the server.
    @inline(__always) func isTruncated(_ index: Int) -> Bool { tls?.isTruncated(index) ?? false }

    /// True if a handshake waits for the server.
    func isHandshakeStalled(_ index: Int) -> Bool { tls?.isHandshakeStalled(index) ?? false }

    /// Why a call failed.
    func cause(_ call: String, _ error: CInt, isFirst: Bool) -> FailureTally.Cause {
        if error == EPROTO, let failure = tls?.failure { return failure }
        return .onConnection(call, error, isFirst: isFirst)
    }
}
