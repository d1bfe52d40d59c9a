import Meters

/// How far the monotonic clock of another machine is ahead of this one's.
struct ClockOffset {
    /// Nanoseconds; negative where it is behind.
    let nanoseconds: Int64
    /// By how much that can be wrong: half of the shortest round trip.
    let error: UInt64

    /// Round trips, of which the shortest counts: the others had to wait somewhere.
    static let trips = 8

    /// Asks for the time.
    init(of link: AgentLink) throws(ProtocolError) {
        var shortest = UInt64.max
        var offset: Int64 = 0
        for _ in 0..<Self.trips {
            let sent = monotonicNanoseconds()
            guard case .pong(let time) = try link.ask(.ping) else {
                throw ProtocolError("another answer than the time")
            }
            let trip = monotonicNanoseconds() - sent
            guard trip < shortest else { continue }
            shortest = trip
            offset = Int64(bitPattern: time &- (sent + trip / 2))
        }
        (nanoseconds, error) = (offset, shortest / 2)
    }

    /// A time of this machine's clock on the other's. 0 and the end of time stay what they are.
    func there(_ time: UInt64) -> UInt64 {
        time == 0 || time == .max ? time : time &+ UInt64(bitPattern: nanoseconds)
    }

    /// A window of this machine's clock on the other's.
    func there(_ window: RunWindow) -> RunWindow {
        RunWindow(
            loadStart: there(window.loadStart), start: there(window.start), end: there(window.end),
            loadEnd: there(window.loadEnd), deadline: there(window.deadline))
    }
}
