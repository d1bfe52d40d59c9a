import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

// The library's types own what they watch. The listeners and the stop signal are the server's, so they get duplicates.

extension InterestSet {
    /// Watches the stop signal and the listeners.
    mutating func watch(
        _ stop: BorrowedDescriptor, _ listeners: [BorrowedDescriptor]
    ) throws(Errno) -> (stop: InterestToken, listeners: [InterestToken]) {
        let stop = try insert(stop.duplicate(), .readable)
        var tokens: [InterestToken] = []
        for listener in listeners { tokens.append(try insert(listener.duplicate(), .readable)) }
        return (stop, tokens)
    }

    /// Looks for so long without blocking; tells whether there is an event. Looks that found none are counted.
    @inline(never) mutating func look(_ nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) -> Bool {
        let end = monotonicNanoseconds() + nanoseconds
        repeat {
            if try wait(timeout: .zero) > 0 { return true }
            meter.add(.systemCalls)
        } while monotonicNanoseconds() < end
        return false
    }
}

extension DescriptorRing {
    /// Polls the stop signal and takes the listeners.
    mutating func watch(
        _ stop: BorrowedDescriptor, _ listeners: [BorrowedDescriptor]
    ) throws(Errno) -> (stop: RingToken, listeners: [RingToken]) {
        let stop = try insert(stop.duplicate())
        try preparePoll(stop, .readable)
        var tokens: [RingToken] = []
        for listener in listeners { tokens.append(try insert(listener.duplicate())) }
        return (stop, tokens)
    }

    /// One ``wait()``, and the completions that it submitted. A full queue alone would make it enter twice.
    @inline(__always) mutating func wait(_ meter: WorkerMeter) throws(Errno) {
        try wait()
        meter.add(.systemCalls)
        meter.add(.ringEnters)
        meter.add(.wakeups)
    }
}
