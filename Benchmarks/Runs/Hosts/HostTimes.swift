import Meters

/// When the hosts of a run really began, by the coordinator's clock.
package struct HostTimes: Sendable, Equatable {
    /// The time from the first host's beginning to the last one's, in nanoseconds; each counts with its slowest thread.
    package var skewNanoseconds: UInt64
    /// By how much the times of the least known clock can be wrong, in nanoseconds.
    package var clockErrorNanoseconds: UInt64
    /// The part of the window in which all of them loaded, in nanoseconds.
    package var sharedNanoseconds: UInt64
    /// The window, in nanoseconds.
    package var windowNanoseconds: UInt64

    /// The share of the window that the skew may have: one in a hundred.
    static let skewBound = 0.01

    /// Takes what each host said.
    ///
    /// - Parameters:
    ///   - begun: when its first and its last client thread began; 0 if they did not.
    ///   - window: what they were told.
    init(begun: [(first: UInt64, last: UInt64)], clockErrors: [UInt64], window: RunWindow?) {
        let firsts = begun.map(\.first).filter { $0 > 0 }
        let lasts = begun.map(\.last).filter { $0 > 0 }
        skewNanoseconds = (lasts.max() ?? 0) - min(firsts.min() ?? 0, lasts.max() ?? 0)
        clockErrorNanoseconds = clockErrors.max() ?? 0
        guard let window else {
            (sharedNanoseconds, windowNanoseconds) = (0, 0)
            return
        }
        windowNanoseconds = window.end - window.start
        // All windows end at one time; who began after the start makes what they share shorter.
        let start = max(window.start, lasts.max() ?? window.start)
        sharedNanoseconds = window.end > start ? window.end - start : 0
    }

    /// Whether the hosts did not load at the same time.
    package var isSkewed: Bool {
        Double(max(skewNanoseconds, windowNanoseconds - sharedNanoseconds)) > Self.skewBound * Double(windowNanoseconds)
    }
}
