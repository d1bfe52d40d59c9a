import CBenchExtras
import Glibc
import SystemPackage

/// The array of `poll(2)`: the stop signal, the listeners, then the connections.
@safe struct PollSet: SpinningSet, ~Copyable {
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

    mutating func look() -> Bool {
        unsafe entries.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), 0) } > 0
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
