public import CEpoll
public import LinuxDescriptors
public import SystemPackage

extension Epoll {
    /// Waits like ``wait(into:timeout:)``, and always with `epoll_pwait2(2)` (Linux 5.11), which takes nanoseconds: the
    /// other call is made there only when a time is no whole number of milliseconds.
    ///
    /// How late the end of a time comes is the thread's timer slack, 50 µs by default, whichever call it is
    /// (`PR_SET_TIMERSLACK`).
    ///
    /// - Throws: `ENOSYS` before Linux 5.11, `EPERM` where a filter of system calls forbids it.
    @inlinable @inline(__always)
    public func waitPrecisely(into buffer: borrowing EpollEventBuffer, timeout: Duration? = nil) throws(Errno) -> Int {
        let set = owned.descriptor.rawValue
        let storage = unsafe buffer.storage
        let nanoseconds = timeout?.nanoseconds ?? -1
        while true {
            let count = unsafe c_epoll_pwait2(set, storage, buffer.capacity, nanoseconds)
            if count >= 0 { return Int(count) }
            if try endsAfterFailure(hasTimeout: timeout != nil) { return 0 }
        }
    }
}
