import CIOUring

extension Ring {
    /// Cancels what is pending and takes every completion, without waiting, for the end of a ring whose completions
    /// may own something. What is queued is not handed over.
    ///
    /// Without the cancellation an accept could bring a connection after the last completion was taken. Before
    /// Linux 6.0 there is none that needs no submission.
    mutating func end(_ body: (Completion) -> Void) {
        // Its timeout is zero.
        var request = io_uring_sync_cancel_reg()
        request.flags = UInt32(IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL)
        _ = unsafe io_uring_register_sync_cancel(&ring, &request)
        repeat {
            // Brings in what a ring with `deferTaskRun` has not posted yet, and what had no room.
            let result = unsafe io_uring_get_events(&ring)
            while let completion = nextCompletion() { body(completion) }
            if result < 0 { return }
        } while completionsOverflowed
    }
}
