import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// Accepts as `acceptConnection(from:_:)` does, and outlasts a shortage of descriptors or memory: the connection stays
/// in the listener's queue, and the worker sleeps and tries again until there is room for it or the run is over.
///
/// A level-triggered loop that went back to its wait would spin, and an edge-triggered one would never be told again.
///
/// - Throws: what `accept4(2)` says; the shortage itself when it has lasted for five seconds.
@inline(__always)
func acceptPatiently(
    from listener: BorrowedDescriptor, _ meter: WorkerMeter, _ options: AcceptOptions = [.nonblocking]
) throws(Errno) -> Connection? {
    meter.add(.systemCalls)
    do throws(Errno) {
        return try acceptConnection(from: listener, options)
    } catch {
        guard error.isShortage else { throw error }
        return try acceptAfterShortage(error, from: listener, options, meter)
    }
}

@inline(never)
private func acceptAfterShortage(
    _ shortage: Errno, from listener: BorrowedDescriptor, _ options: AcceptOptions, _ meter: WorkerMeter
) throws(Errno) -> Connection? {
    var patience = ShortagePatience()
    while meter[.stopped] == 0 {
        try patience.pause(shortage, meter)
        do throws(Errno) {
            meter.add(.systemCalls)
            return try acceptConnection(from: listener, options)
        } catch {
            guard error.isShortage else { throw error }
        }
    }
    return nil
}

/// How long a worker bears with a shortage that does not end.
struct ShortagePatience {
    private var pauses: UInt64 = 0
    private static let pauseNanoseconds: UInt64 = 10_000_000
    /// Five seconds, as long as clients wait for an answer.
    private static let mostPauses = RunWindow.graceNanoseconds / pauseNanoseconds

    /// Sleeps for a hundredth of a second, and counts it.
    ///
    /// - Throws: the shortage when it has lasted too long.
    mutating func pause(_ shortage: Errno, _ meter: WorkerMeter) throws(Errno) {
        pauses += 1
        if pauses > Self.mostPauses { throw shortage }
        meter.add(.shortages)
        meter.add(.systemCalls)
        sleepUntil(nanoseconds: monotonicNanoseconds() + Self.pauseNanoseconds)
    }
}
