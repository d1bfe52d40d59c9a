import Meters
import SystemPackage

/// A set that is asked with one call whether something is ready, and with another waits for it: `select(2)`, `poll(2)`.
protocol SpinningSet: ~Copyable {
    /// Waits until something is ready.
    mutating func wait() throws(Errno)
    /// Asks without waiting; false also of an error, which a wait tells.
    mutating func look() -> Bool
}

extension SpinningSet where Self: ~Copyable {
    /// Looks for so long, blocks then until something is ready, and counts the calls and the wakeup.
    @inline(__always) mutating func wait(spinning nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        if nanoseconds == 0 || !look(for: nanoseconds, meter) { try wait() }
        meter.add(.systemCalls)
        meter.add(.wakeups)
    }

    /// Whether a look found something; those that did not are counted.
    @inline(never) private mutating func look(for nanoseconds: UInt64, _ meter: WorkerMeter) -> Bool {
        let end = monotonicNanoseconds() + nanoseconds
        repeat {
            if look() { return true }
            meter.add(.systemCalls)
        } while monotonicNanoseconds() < end
        return false
    }
}
