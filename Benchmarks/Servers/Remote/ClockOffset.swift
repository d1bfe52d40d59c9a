package import Meters

/// How far the monotonic clock of another machine is ahead of this one's.
package struct ClockOffset: Sendable {
    /// Nanoseconds; negative where it is behind.
    package let nanoseconds: Int64
    /// By how much that can be wrong: half of the shortest round trip.
    package let error: UInt64

    /// Round trips, of which the shortest counts: the others had to wait somewhere.
    package static let trips = 8

    /// Asks another machine for the time, by so many round trips.
    ///
    /// - Parameter ask: returns what the other's clock said, and when that arrived by this one's.
    package init(
        trips: Int = ClockOffset.trips, _ ask: () throws(ProtocolError) -> (time: UInt64, arrival: UInt64)
    ) throws(ProtocolError) {
        var shortest = UInt64.max
        var offset: Int64 = 0
        for _ in 0..<trips {
            let sent = monotonicNanoseconds()
            let (time, arrival) = try ask()
            let trip = arrival - min(sent, arrival)
            guard trip < shortest else { continue }
            shortest = trip
            offset = Int64(bitPattern: time &- (sent + trip / 2))
        }
        // Halves are rounded off.
        (nanoseconds, error) = (offset, shortest / 2 + 1)
    }

    /// Asks an agent for the time.
    init(of link: AgentLink) throws(ProtocolError) {
        try self.init { () throws(ProtocolError) in
            guard case .pong(let time) = try link.ask(.ping) else {
                throw ProtocolError("another answer than the time")
            }
            return (time, monotonicNanoseconds())
        }
    }

    /// A time of this machine's clock on the other's. 0 and the end of time stay what they are.
    package func there(_ time: UInt64) -> UInt64 {
        time == 0 || time == .max ? time : time &+ UInt64(bitPattern: nanoseconds)
    }

    /// A window of this machine's clock on the other's.
    package func there(_ window: RunWindow) -> RunWindow {
        RunWindow(
            loadStart: there(window.loadStart), start: there(window.start), end: there(window.end),
            loadEnd: there(window.loadEnd), deadline: there(window.deadline))
    }
}
