import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

// What the accepting loops do when descriptors or memory have run out: the connection stays in the listener's queue, and
// the worker tries again after a pause. A level-triggered loop that went back to its wait would spin, an edge-triggered
// one would never be told again, and a multishot accept that is armed at once ends at once.

/// Accepts as `acceptConnection(from:_:)` does, and outlasts a shortage, until the run is over (nil).
///
/// - Throws: what `accept4(2)` says; a shortage after five seconds of it without an operation.
@inline(__always)
func acceptPatiently(
    from listener: BorrowedDescriptor, _ meter: WorkerMeter, _ options: AcceptOptions = [.nonblocking]
) throws(Errno) -> Connection? {
    meter.add(.systemCalls)
    do throws(Errno) {
        return try acceptConnection(from: listener, options)
    } catch {
        try pause(for: error, meter)
        return try acceptAfterShortage(from: listener, meter, options)
    }
}

@inline(never)
private func acceptAfterShortage(
    from listener: BorrowedDescriptor, _ meter: WorkerMeter, _ options: AcceptOptions
) throws(Errno) -> Connection? {
    while meter[.stopped] == 0 {
        do throws(Errno) {
            meter.add(.systemCalls)
            let connection = try acceptConnection(from: listener, options)
            // A dispatcher completes no operations of its own.
            meter.set(.shortagesInARow, 0)
            return connection
        } catch {
            try pause(for: error, meter)
        }
    }
    return nil
}

/// The connection that an accept's completion brought; nil after a shortage, and then it is time to queue it again.
@inline(__always)
func takeConnection(_ completion: consuming Completion, _ meter: WorkerMeter) throws(Errno) -> OwnedDescriptor? {
    do throws(Errno) {
        return try completion.takeDescriptor()
    } catch {
        try pause(for: error, meter)
        return nil
    }
}

/// The same for an event of a `DescriptorRing`; nil at once for an accept that ended after an overflow (`ECANCELED`), for a
/// signal, or for one connection's error.
@inline(__always)
func takeConnection(_ event: consuming RingEvent, _ meter: WorkerMeter) throws(Errno) -> OwnedDescriptor? {
    do throws(Errno) {
        return try event.takeDescriptor()
    } catch {
        let isPassing = [.canceled, .interrupted, .wouldBlock].contains(error) || error.isOfOneConnection
        if !isPassing { try pause(for: error, meter) }
        return nil
    }
}

/// Sleeps for a hundredth of a second, and counts it.
///
/// - Throws: an error that is no shortage; a shortage when there were too many.
@inline(never)
private func pause(for error: Errno, _ meter: WorkerMeter) throws(Errno) {
    guard error.isShortage else { throw error }
    try noteShortage(error, meter)
    meter.add(.systemCalls)
    sleepUntil(nanoseconds: monotonicNanoseconds() + shortagePauseNanoseconds)
}

/// From an accept that found no descriptor or no memory to the next one.
let shortagePauseNanoseconds: UInt64 = 10_000_000

/// Counts one more pause.
///
/// - Throws: the shortage after five seconds of them without an operation, as long as clients wait for an answer.
func noteShortage(_ shortage: Errno, _ meter: WorkerMeter) throws(Errno) {
    // A server that serves goes on: what it closes makes room.
    if meter[.operations] != meter[.operationsAtShortage] {
        meter.set(.operationsAtShortage, meter[.operations])
        meter.set(.shortagesInARow, 0)
    }
    guard meter[.shortagesInARow] < RunWindow.graceNanoseconds / shortagePauseNanoseconds else { throw shortage }
    meter.add(.shortagesInARow)
    meter.add(.shortages)
}
