import Glibc

/// How far `CLOCK_REALTIME`, by which the kernel stamps packets, is ahead of `CLOCK_MONOTONIC`, in nanoseconds
/// (`clock_gettime(2)`). Both go at one speed, so that it changes only when somebody sets the clock.
package struct WallClockOffset: Sendable, Equatable, Codable {
    /// Real time minus monotonic time.
    package var nanoseconds: Int64
    /// It may be off by so much.
    package var error: UInt64

    /// Takes what is known.
    package init(nanoseconds: Int64, error: UInt64) { (self.nanoseconds, self.error) = (nanoseconds, error) }

    /// Reads both clocks a few times, and takes what was read in the shortest time.
    package static func read() -> WallClockOffset {
        var best = WallClockOffset(nanoseconds: 0, error: .max)
        for _ in 0..<8 {
            let before = monotonicNanoseconds()
            let wall = Meters.nanoseconds(of: CLOCK_REALTIME)
            let half = (monotonicNanoseconds() &- before) / 2
            guard half < best.error else { continue }
            best = WallClockOffset(nanoseconds: Int64(bitPattern: wall &- before &- half), error: half)
        }
        return best
    }

    /// The monotonic time of a real one.
    @inline(__always) package func monotonic(ofReal time: UInt64) -> UInt64 { time &- UInt64(bitPattern: nanoseconds) }

    /// By how much somebody has set the clock between two readings: what they differ by beyond their errors.
    package func wasSet(since earlier: WallClockOffset) -> UInt64 {
        let difference = (nanoseconds &- earlier.nanoseconds).magnitude
        return difference - min(difference, error + earlier.error)
    }
}
