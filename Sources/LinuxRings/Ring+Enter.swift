import CIOUring
import Glibc
import SystemPackage

/// Entering the kernel without liburing, where only liburing would know whether it did (``Ring/entersItself``).
extension Ring {
    @usableFromInline @inline(never) mutating func enterToSubmit() throws(Errno) -> Int {
        try enterAndWait(for: 0)
    }

    @usableFromInline @inline(never) mutating func enterAndWait(for count: UInt32) throws(Errno) -> Int {
        var taken = 0
        while true {
            let (result, handed) = unsafe enter(waitingFor: count, nil)
            taken += handed
            if result < 0 && result != -EINTR { throw Errno(rawValue: -result) }
            if result >= 0 && readyCompletions >= count { return taken }
        }
    }

    mutating func enterAndWait(
        for count: UInt32, limit: (seconds: Int64, nanoseconds: Int64)
    ) throws(Errno) -> Bool {
        while true {
            let queued = unhanded
            var limit = __kernel_timespec(tv_sec: limit.seconds, tv_nsec: limit.nanoseconds)
            let (result, _) = unsafe enter(waitingFor: count, &limit)
            if result < 0 && result != -ETIME && result != -EINTR { throw Errno(rawValue: -result) }
            if readyCompletions >= count { return true }
            // After a refused submission the kernel did not wait at all; with the rest handed over it does.
            let left = unhanded
            guard left > 0 && left < queued else { return false }
        }
    }

    /// Hands over what is queued and enters the kernel if there is a reason to.
    ///
    /// - Returns: what `io_uring_enter(2)` says, 0 without one; and how many submissions were handed over, which with a
    ///   poller says nothing of what it has done with them.
    @unsafe mutating func enter(
        waitingFor count: UInt32, _ limit: UnsafeMutablePointer<__kernel_timespec>?,
        signals: UnsafePointer<sigset_t>? = nil, minimumMicroseconds: UInt32 = 0
    ) -> (result: CInt, handed: Int) {
        unsafe enter(waitingFor: count) { (ring, waiting, flags) in
            unsafe c_io_uring_enter(ring, waiting, count, flags, limit, signals, minimumMicroseconds)
        }
    }

    /// The same with another way to call the kernel, which gets the ring's number, how many submissions there are to take,
    /// and flags.
    @unsafe @inline(__always) mutating func enter(
        waitingFor count: UInt32, collects: Bool = false, _ call: (CInt, UInt32, UInt32) -> CInt
    ) -> (result: CInt, handed: Int) {
        let hasPoller = setup.contains(.submissionPolling)
        // The poller would see what is published before it may take it.
        if hasPoller && !isEnabled { return (-EBADFD, 0) }
        let queued = unhanded
        let waiting = unsafe c_io_uring_publish(&ring)
        var flags: UInt32 = 0
        if hasPoller {
            submitted += UInt64(queued)
            if unsafe waiting > 0 && c_io_uring_poller_sleeps(&ring) != 0 { flags |= UInt32(IORING_ENTER_SQ_WAKEUP) }
        }
        let hasNews = unsafe c_io_uring_sq_flags(&ring) & UInt32(IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN) != 0
        if hasNews || collects || readyCompletions < count { flags |= UInt32(IORING_ENTER_GETEVENTS) }
        if flags == 0 && (hasPoller || waiting == 0) { return (0, hasPoller ? Int(queued) : 0) }
        let result = unsafe enterKernel(submitting: waiting, flags, call)
        if hasPoller { return (result, Int(queued)) }
        let taken = Int(max(result, 0))
        submitted += UInt64(taken)
        return (result, taken)
    }

    /// `io_uring_enter(2)` that waits for nothing: less than 0 is an error.
    @unsafe mutating func enterKernel(_ flags: UInt32) -> CInt {
        unsafe enterKernel(submitting: 0, flags) { c_io_uring_enter($0, $1, 0, $2, nil, nil, 0) }
    }

    @unsafe @inline(__always) private mutating func enterKernel(
        submitting: UInt32, _ flags: UInt32, _ call: (CInt, UInt32, UInt32) -> CInt
    ) -> CInt {
        enters += 1
        let flags = registrant == nil ? flags : flags | UInt32(IORING_ENTER_REGISTERED_RING)
        return call(unsafe ring.enter_ring_fd, submitting, flags)
    }
}
