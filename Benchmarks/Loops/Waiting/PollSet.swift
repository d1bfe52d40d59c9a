import CBenchExtras
import Glibc
import Meters
import SystemPackage

/// The array of `poll(2)`: the stop signal, the listeners, then the connections.
@safe struct PollSet: ~Copyable {
    private(set) var entries: [pollfd]
    let firstConnection: Int

    init(stop: CInt, listeners: [CInt], connections: [CInt], capacity: Int) {
        entries = []
        entries.reserveCapacity(capacity + listeners.count + 1)
        firstConnection = 1 + listeners.count
        for fd in [stop] + listeners + connections { add(fd) }
    }

    mutating func add(_ fd: CInt) {
        entries.append(pollfd(fd: fd, events: Int16(POLLIN), revents: 0))
    }

    /// Takes the place of the entry with the last one.
    mutating func remove(at index: Int) {
        entries.swapAt(index, entries.count - 1)
        entries.removeLast()
    }

    /// Looks for so long, blocks then until something is ready, and counts the calls and the wakeup.
    @inline(__always) mutating func wait(spinning nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        if nanoseconds == 0 || !look(nanoseconds, meter) { try wait() }
        meter.add(.systemCalls)
        meter.add(.wakeups)
    }

    /// Whether a look found something; those that did not are counted.
    @inline(never) private mutating func look(_ nanoseconds: UInt64, _ meter: WorkerMeter) -> Bool {
        let end = monotonicNanoseconds() + nanoseconds
        repeat {
            let result = unsafe entries.withUnsafeMutableBufferPointer {
                unsafe poll($0.baseAddress, nfds_t($0.count), 0)
            }
            if result > 0 { return true }
            meter.add(.systemCalls)
        } while monotonicNanoseconds() < end
        return false
    }

    /// Waits until something is ready, or for a time (`poll(2)`); a signal ends it too.
    mutating func wait(upToMilliseconds limit: UInt64) throws(Errno) {
        let result = unsafe entries.withUnsafeMutableBufferPointer {
            unsafe poll($0.baseAddress, nfds_t($0.count), CInt(clamping: limit))
        }
        if result < 0 && errno != EINTR { throw Errno(rawValue: errno) }
    }

    /// The same in nanoseconds (`ppoll(2)`).
    mutating func wait(upToNanoseconds limit: UInt64) throws(Errno) {
        let result = unsafe entries.withUnsafeMutableBufferPointer {
            unsafe c_ppoll($0.baseAddress, UInt32($0.count), Int64(clamping: limit))
        }
        if result < 0 && errno != EINTR { throw Errno(rawValue: errno) }
    }

    /// Waits until something is ready (`poll(2)`).
    mutating func wait() throws(Errno) {
        while true {
            let result = unsafe entries.withUnsafeMutableBufferPointer {
                unsafe poll($0.baseAddress, nfds_t($0.count), -1)
            }
            if result > 0 { return }
            if errno != EINTR { throw Errno(rawValue: errno) }
        }
    }
}
