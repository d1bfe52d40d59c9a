package import Meters

/// Latencies in two parts: until the kernel of the client's host had the reply, and from then until the client had read it.
package struct LatencySplit: Sendable, Codable {
    /// From the start of an operation to the arrival of its reply: the client's sending, network and server.
    package private(set) var untilArrival = LatencyRecorder()
    /// From the arrival to the client's reading: its wake-up, what it read first, and the read.
    package private(set) var client = LatencyRecorder()
    /// Replies whose time the kernel did not say; they are in neither part.
    package private(set) var unstamped: UInt64 = 0
    /// Why stamps could not be had; 0 if the kernel took the wish.
    package private(set) var refusal: CInt = 0
    /// By how much somebody set the clock in the meantime, in nanoseconds: what was stamped by it means nothing then.
    package private(set) var clockSet: UInt64 = 0
    private var offset = WallClockOffset(nanoseconds: 0, error: 0)

    /// Of no operation yet.
    package init() {}

    /// To be called when the load begins.
    mutating func begin() { offset = .read() }

    /// Takes the parts of an operation.
    ///
    /// - Parameter arrival: when its reply came, by the real clock; 0 if that is not known.
    @inline(__always) mutating func note(startedAt start: UInt64, arrivedAt arrival: UInt64, at now: UInt64) {
        guard arrival != 0 else { return unstamped += 1 }
        // The clocks are read one after the other, so that an arrival can seem a little outside.
        let time = min(max(offset.monotonic(ofReal: arrival), start), now)
        untilArrival.record(nanoseconds: time - start)
        client.record(nanoseconds: now - time)
    }

    /// To be called when the load is over.
    mutating func end(refusal: CInt, offset now: WallClockOffset = .read()) {
        self.refusal = refusal
        clockSet = now.wasSet(since: offset)
    }

    /// Adds what another thread saw.
    package mutating func add(_ other: LatencySplit) {
        untilArrival.add(other.untilArrival)
        client.add(other.client)
        unstamped += other.unstamped
        if refusal == 0 { refusal = other.refusal }
        clockSet = max(clockSet, other.clockSet)
    }
}
