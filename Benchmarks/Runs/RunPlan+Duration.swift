import Load
import Records

extension RunPlan {
    /// In tenths of a second, the longest window that nobody has asked for.
    private static let longestDefault = 100.0

    /// Lengthens the window of an open loop, by tenths of a second and to ten seconds at the most, until a percentile can be
    /// told. A search lengthens its own, and a closed loop does enough.
    ///
    /// - Parameter perMillion: 990 000 of `p99`.
    package mutating func lengthen(forPercentile perMillion: UInt64) {
        guard objective == nil, let rate = networkLoad?.probePerSecond ?? ratePerSecond else { return }
        let samples = Double(ServiceObjective.samplesNeeded(perMillion: perMillion)) * CapacityRun.sampleSurplus
        let tenths = min((10 * samples / rate).rounded(.up), Self.longestDefault)
        durationNanoseconds = max(durationNanoseconds, UInt64(tenths) * 100_000_000)
    }
}
