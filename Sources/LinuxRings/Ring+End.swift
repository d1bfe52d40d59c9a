import CIOUring
import Glibc

extension Ring {
    /// Cancels what is pending and takes every completion, for the end of a ring whose completions may own something,
    /// or whose requests may still write into memory. What is queued is not handed over.
    ///
    /// - Returns: whether the kernel is surely done with all requests. It is not when the ring belongs to another
    ///   thread, when a request cannot be cancelled within a second, and before Linux 6.0, which has no cancellation
    ///   that needs no submission.
    mutating func cancelEverything(_ take: (RawCompletion) -> Void) -> Bool {
        var closed: [RawCompletion] = []
        let isQuiet = unsafe Self.cancelEverything(&ring) { completion in
            if completion.token >= Self.firstReservedToken { closed.append(completion) } else { take(completion) }
        }
        for completion in closed { _ = endClose(completion) }
        return isQuiet
    }

    /// What each submission that is queued and was not handed over carries.
    mutating func queuedTokens() -> [UInt64] {
        let sq = unsafe ring.sq
        let count = unsafe io_uring_sq_ready(&ring)
        return (0..<count).map { unsafe sq.sqes[Int((sq.sqe_tail &- count &+ $0) & sq.ring_mask)].user_data }
    }

    @unsafe static func cancelEverything(_ ring: inout io_uring, _ take: (RawCompletion) -> Void) -> Bool {
        for round in 0..<50 {
            var request = io_uring_sync_cancel_reg()
            request.flags = UInt32(IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL)
            // The first does not wait; the others wait for what only ends in its own time.
            request.timeout.tv_nsec = round == 0 ? 0 : 20_000_000
            let found = unsafe io_uring_register_sync_cancel(&ring, &request)
            repeat {
                // Brings in what a ring with `deferTaskRun` has not posted yet, and what had no room.
                let result = unsafe io_uring_get_events(&ring)
                while unsafe io_uring_cq_ready(&ring) > 0 {
                    let entry = unsafe ring.cq.cqes[Int(ring.cq.khead.pointee & ring.cq.ring_mask)]
                    unsafe io_uring_cq_advance(&ring, 1)
                    take(RawCompletion(entry))
                }
                if result < 0 && result != -EINTR { return false }
            } while unsafe io_uring_cq_has_overflow(&ring)
            switch found {
            case 0, -ENOENT: return true
            // Some were found, or are on their way: once more.
            case 1..., -ETIME, -EALREADY, -EINTR: continue
            default: return false
            }
        }
        return false
    }
}

/// The end of a ring that has taken closes or buffer groups.
///
/// In a child of a fork nothing is done to the queues, which are the parent's, too.
@unsafe func end(
    _ ring: inout io_uring, _ closes: inout CloseTable, _ groups: BufferGroups, submitted: UInt64, isParent: Bool
) {
    closes.closeQueued(submitted: submitted)
    guard isParent else { return }
    var foreign: [RawCompletion] = []
    let isQuiet = unsafe Ring.cancelEverything(&ring) { foreign.append($0) }
    for completion in foreign where completion.token >= Ring.firstReservedToken {
        _ = closes.end(completion.token, result: completion.result)
    }
    if isQuiet { unsafe groups.unregister(from: &ring) } else { groups.leak() }
}
