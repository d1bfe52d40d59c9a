import LinuxRings
import SystemPackage

extension MultishotStreams {
    /// What is known of a connection.
    struct Stream {
        var first: Int32 = -1
        var last: Int32 = -1
        /// The peer sends no more; closed when what is queued has been sent.
        var hasEnded = false
        var isClosing = false
        /// The request came that the connection ends with; what comes behind it is dropped.
        var hasLast = false
    }

    /// What is being answered of the requests in a buffer, what is still to be sent for it, and which buffer comes after.
    @unsafe struct PendingReply {
        var start: UnsafeRawPointer?
        var count = 0
        var requests = Requests()
        /// Whole requests behind those.
        var rest: UnsafeMutableRawPointer?
        var restBytes = 0
        var next: Int32 = -1
        /// Sends whose memory the kernel has yet, and whether the buffer is to be given back once it has not.
        var notifications: Int32 = 0
        var isDone = false
        /// The limit of locked memory allows no send without a copy.
        var isCopied = false

        /// True if a send failed because so much memory must not be locked for those that are on their way (`ENOMEM`). It is
        /// made again, with a copy.
        mutating func mustCopy(_ completion: borrowing Completion) -> Bool {
            guard completion.error == .noMemory, unsafe !isCopied else { return false }
            unsafe isCopied = true
            return true
        }
    }
}
