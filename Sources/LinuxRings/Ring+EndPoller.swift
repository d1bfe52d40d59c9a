import CIOUring
import Glibc

/// The end of a ring whose submissions a thread of the kernel takes.
extension Ring {
    /// Like `cancelEverything`. What is handed over may not have been taken yet, and what the poller gave to its own
    /// workers no other thread can find, so two requests go the same way: one cancels all, and one begins when all that
    /// was handed over before it has ended.
    ///
    /// The kernel refuses the second where restrictions forbid it (`EACCES`), and once a request without a completion was
    /// queued (`EOPNOTSUPP`). Then `isPending` alone can tell that all has ended; where that knows nothing, two rounds in a
    /// row that find nothing are the end, and prove nothing.
    @unsafe static func cancelEverythingOnPoller(
        _ ring: inout io_uring, while isPending: () -> Bool?, _ take: (RawCompletion) -> Void
    ) -> Bool {
        let deadline = ContinuousClock.now + .seconds(1)
        // The poller has not seen these and never will.
        unsafe ring.sq.sqe_tail = ring.sq.sqe_head
        var (isDrained, isRefused) = (false, false)
        var emptyRounds = 0
        func takeAny(_ completion: RawCompletion) {
            switch completion.token {
            case cancelToken: break
            case drainToken:
                isDrained = completion.result == 0
                isRefused = !isDrained
            default: take(completion)
            }
        }
        for operation in [IORING_OP_ASYNC_CANCEL, IORING_OP_NOP] {
            while unsafe !handToPoller(&ring, operation) {
                guard let taken = unsafe takeReady(&ring, takeAny), ContinuousClock.now < deadline else { return false }
                if taken == 0 { unsafe waitShortly(&ring) }
            }
        }
        while !isDrained && isPending() != false {
            var request = io_uring_sync_cancel_reg()
            request.flags = UInt32(IORING_ASYNC_CANCEL_ANY)
            // For what began since; on another thread than the ring's it may be forbidden, and is not needed for the rest.
            let found = unsafe io_uring_register_sync_cancel(&ring, &request)
            guard let taken = unsafe takeReady(&ring, takeAny), ContinuousClock.now < deadline else { return false }
            emptyRounds = isRefused && taken == 0 && (found == 0 || found == -ENOENT) ? emptyRounds + 1 : 0
            if emptyRounds > 1 && isPending() == nil { return false }
            if taken == 0 { unsafe waitShortly(&ring) }
        }
        return true
    }

    /// Not any user's, and not any close's: that would have a number that is not negative.
    private static var cancelToken: UInt64 { .max - 1 }
    private static var drainToken: UInt64 { .max - 2 }

    /// False while the poller has left no room.
    @unsafe private static func handToPoller(_ ring: inout io_uring, _ operation: io_uring_op) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(&ring) else { return false }
        if operation == IORING_OP_ASYNC_CANCEL {
            unsafe io_uring_prep_cancel64(entry, 0, CInt(IORING_ASYNC_CANCEL_ANY))
            unsafe entry.pointee.user_data = cancelToken
        } else {
            unsafe io_uring_prep_nop(entry)
            // IOSQE_IO_DRAIN
            unsafe entry.pointee.flags = 1 << 1
            unsafe entry.pointee.user_data = drainToken
        }
        _ = unsafe io_uring_submit(&ring)
        return true
    }
}

extension Ring {
    /// Whether a poller may read what submissions point at after the end of the ring: it has not taken all that was handed
    /// over within a second, and somebody else may have the ring open.
    @unsafe func mayReadCells(_ ring: inout io_uring) -> Bool {
        guard setup.contains(.submissionPolling) else { return false }
        let deadline = ContinuousClock.now + .seconds(1)
        // What was queued and not handed over nobody will see.
        while unsafe io_uring_sq_ready(&ring) != ring.sq.sqe_tail &- ring.sq.sqe_head {
            guard isEnabled, isIntact, ContinuousClock.now < deadline else { return true }
            // It may sleep, after an enter that failed.
            if unsafe c_io_uring_poller_sleeps(&ring) != 0 {
                _ = unsafe c_io_uring_enter(ring.ring_fd, 0, 0, UInt32(IORING_ENTER_SQ_WAKEUP), nil, nil, 0)
            }
            sched_yield()
        }
        return false
    }
}
