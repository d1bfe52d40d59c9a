import CIOUring
import Glibc

extension Ring {
    /// Cancels what is pending and takes every completion, for the end of a ring whose completions may own something,
    /// or whose requests may still write into memory. What is queued is not handed over.
    ///
    /// - Returns: whether the kernel is surely done with all requests. It is not when the ring belongs to another
    ///   thread, when a request cannot be cancelled within a second, and before Linux 6.0, which has no cancellation
    ///   that needs no submission.
    mutating func cancelEverything(
        _ targets: [UInt64], while isPending: () -> Bool, _ take: (RawCompletion) -> Void
    ) -> Bool {
        var closed: [RawCompletion] = []
        let isQuiet = unsafe Self.cancelEverything(&ring, targets, while: isPending) { completion in
            if completion.token >= Self.firstReservedToken { closed.append(completion) } else { take(completion) }
        }
        for completion in closed { _ = endClose(completion) }
        return isQuiet
    }

    /// What each submission that is queued and was not handed over carries.
    mutating func queuedTokens() -> [UInt64] {
        let sq = unsafe ring.sq
        let count = unhanded
        return (0..<count).map { unsafe sq.sqes[Int((sq.sqe_tail &- count &+ $0) & sq.ring_mask)].user_data }
    }

    /// Cancels one request after the other, and then what is left at once: the kernel needs time for that which grows
    /// with the square of their number, in one call that nothing ends.
    ///
    /// - Parameters:
    ///   - targets: what the pending requests carry, if that is known; else they are found by what they do (Linux 6.6).
    ///   - isPending: tells what `take` knows; where that is nothing (nil), two rounds in a row that find nothing are
    ///     the end.
    @unsafe static func cancelEverything(
        _ ring: inout io_uring, _ targets: [UInt64] = [], while isPending: () -> Bool? = { nil },
        _ take: (RawCompletion) -> Void
    ) -> Bool {
        if unsafe ring.flags & RingSetup.submissionPolling.rawValue != 0 {
            return unsafe cancelEverythingOnPoller(&ring, while: isPending, take)
        }
        let deadline = ContinuousClock.now + .seconds(1)
        for target in targets {
            var request = io_uring_sync_cancel_reg()
            request.addr = target
            _ = unsafe io_uring_register_sync_cancel(&ring, &request)
            guard unsafe takeReady(&ring, take) != nil, ContinuousClock.now < deadline else { return false }
        }
        for operation in targets.isEmpty ? Self.lastingOperations : [] {
            while unsafe cancelOne(&ring, operation) {
                guard let taken = unsafe takeReady(&ring, take), ContinuousClock.now < deadline else { return false }
                if taken == 0 { unsafe waitShortly(&ring) }
            }
        }
        var emptyRounds = 0
        while isPending() != false {
            var request = io_uring_sync_cancel_reg()
            request.flags = UInt32(IORING_ASYNC_CANCEL_ANY)
            let found = unsafe io_uring_register_sync_cancel(&ring, &request)
            guard let taken = unsafe takeReady(&ring, take) else { return false }
            switch found {
            case 0, -ENOENT: emptyRounds = taken == 0 ? emptyRounds + 1 : 0
            // Some were found, or are about to end.
            case 1..., -ETIME, -EALREADY, -EINTR: emptyRounds = 0
            default: return false
            }
            if emptyRounds > 1 && isPending() == nil { return true }
            if ContinuousClock.now > deadline { return false }
            // What is pending ends in its own time, or when another thread gets to it.
            if taken == 0 { unsafe waitShortly(&ring) }
        }
        return true
    }

    /// What may be pending for long.
    private static var lastingOperations: [io_uring_op] {
        [
            IORING_OP_POLL_ADD, IORING_OP_RECV, IORING_OP_ACCEPT, IORING_OP_READ, IORING_OP_SEND, IORING_OP_CONNECT,
            IORING_OP_TIMEOUT,
        ]
    }

    /// False if no such request was found that could be cancelled.
    @unsafe private static func cancelOne(_ ring: inout io_uring, _ operation: io_uring_op) -> Bool {
        var request = io_uring_sync_cancel_reg()
        // IORING_ASYNC_CANCEL_OP, which headers before Linux 6.6 do not have; neither do they name the field.
        request.flags = 1 << 5
        unsafe withUnsafeMutableBytes(of: &request) { unsafe $0[32] = UInt8(truncatingIfNeeded: operation.rawValue) }
        return unsafe io_uring_register_sync_cancel(&ring, &request) == 0
    }

    /// Takes the completions that are ready, among them what a ring with `deferTaskRun` has not posted yet, and what
    /// had no room.
    ///
    /// - Returns: how many there were; nil if the ring cannot be entered from here.
    @unsafe static func takeReady(_ ring: inout io_uring, _ take: (RawCompletion) -> Void) -> Int? {
        let result = unsafe io_uring_get_events(&ring)
        if result < 0 && result != -EINTR { return nil }
        // Not those that come meanwhile: others may send messages without an end.
        let count = unsafe io_uring_cq_ready(&ring)
        var left = Int(count)
        while left > 0 {
            let entry = unsafe ring.cq.cqes[Int(ring.cq.khead.pointee & ring.cq.ring_mask)]
            let places: UInt32 = entry.flags & C_IORING_CQE_F_32 == 0 ? 1 : 2
            unsafe io_uring_cq_advance(&ring, places)
            left -= Int(places)
            if entry.flags & C_IORING_CQE_F_SKIP == 0 { take(RawCompletion(entry)) }
        }
        return Int(count)
    }

    @unsafe static func waitShortly(_ ring: inout io_uring) {
        var limit = __kernel_timespec(tv_sec: 0, tv_nsec: 1_000_000)
        var first: UnsafeMutablePointer<io_uring_cqe>?
        _ = unsafe io_uring_wait_cqe_timeout(&ring, &first, &limit)
    }
}

/// The end of a ring whose number is still its own.
///
/// In a child of a fork nothing is done to the queues, which are the parent's, too.
///
/// - Parameter wasEnabled: false of a ring that has taken no submission yet.
@unsafe func end(
    _ ring: inout io_uring, _ closes: inout CloseTable, _ groups: BufferGroups, submitted: UInt64, isParent: Bool,
    wasEnabled: Bool
) {
    closes.closeQueued(submitted: submitted)
    guard isParent, closes.mayBePending || !groups.isEmpty else { return }
    if !wasEnabled { return unsafe groups.unregister(from: &ring) }
    var foreign: [RawCompletion] = []
    let isQuiet = unsafe Ring.cancelEverything(&ring) { foreign.append($0) }
    for completion in foreign where completion.token >= Ring.firstReservedToken {
        _ = closes.end(completion.token, result: completion.result)
    }
    if isQuiet { unsafe groups.unregister(from: &ring) } else { groups.leak() }
}
