import Glibc
import Meters
import Statistics

/// How long a worker is busy with one operation, and with what.
package struct ServiceTime: Sendable, Equatable, Codable, CustomStringConvertible {
    /// How the times are distributed; all times in nanoseconds.
    package enum Distribution: Sendable, Equatable, Codable {
        /// No time at all.
        case none
        /// Always the same.
        case fixed(UInt64)
        /// Exponential with this mean.
        case exponential(mean: UInt64)
        /// `slow` with this probability, else `fast`.
        case bimodal(fast: UInt64, slow: UInt64, probability: Double)
    }

    /// What the worker does meanwhile.
    package enum Work: String, Sendable, CaseIterable, Codable {
        /// Burns CPU time.
        case busy
        /// Sleeps, as if it waited for a database.
        case sleep
    }

    /// How the times are distributed.
    package var distribution: Distribution
    /// What the worker does meanwhile.
    package var work: Work

    /// No service time.
    package static let none = ServiceTime(distribution: .none, work: .busy)

    /// Takes a distribution and what to do.
    package init(distribution: Distribution, work: Work) {
        self.distribution = distribution
        self.work = work
    }

    /// `100us`, or `1500ns` where that says it.
    static func text(_ nanoseconds: UInt64) -> String {
        nanoseconds % 1000 == 0 ? "\(nanoseconds / 1000)us" : "\(nanoseconds)ns"
    }

    /// `fixed:100us`, as the command line takes it, in microseconds.
    package var description: String {
        func text(_ nanoseconds: UInt64) -> String { Self.text(nanoseconds) }
        return switch distribution {
        case .none: "none"
        case .fixed(let time): "fixed:\(text(time))"
        case .exponential(let mean): "exp:\(text(mean))"
        case .bimodal(let fast, let slow, let probability): "bimodal:\(text(fast)),\(text(slow)),\(probability)"
        }
    }
}

/// Draws service times for one worker and spends them.
struct ServiceTimeSource {
    private let service: ServiceTime
    private var generator: SplitMix64
    /// False if there is nothing to spend.
    let isBusy: Bool
    private static let longestSleep: UInt64 = 100_000_000

    init(_ service: ServiceTime, seed: UInt64) {
        self.service = service
        generator = SplitMix64(seed: seed)
        isBusy = service.distribution != .none
    }

    /// Is busy for one operation.
    @inline(__always) mutating func serve(_ meter: WorkerMeter) {
        if isBusy { spend(meter) }
    }

    @inline(never) private mutating func spend(_ meter: WorkerMeter) {
        let end = monotonicNanoseconds() + draw()
        meter.startedServing()
        switch service.work {
        case .busy:
            while monotonicNanoseconds() < end && meter[.stopped] == 0 {}
        case .sleep:
            while true {
                // Slept in parts, so that a long one does not outlast the run.
                let next = min(end, monotonicNanoseconds() + Self.longestSleep)
                meter.add(.systemCalls)
                sleepUntil(nanoseconds: next)
                if next == end || meter[.stopped] != 0 { break }
            }
        }
        meter.resumedWaiting()
    }

    /// A number from 0 up to 1, without 1.
    private mutating func unit() -> Double {
        Double.random(in: 0..<1, using: &generator)
    }

    private mutating func draw() -> UInt64 {
        switch service.distribution {
        case .none: 0
        case .fixed(let time): time
        case .exponential(let mean): UInt64(-log(1 - unit()) * Double(mean))
        case .bimodal(let fast, let slow, let probability): unit() < probability ? slow : fast
        }
    }
}
