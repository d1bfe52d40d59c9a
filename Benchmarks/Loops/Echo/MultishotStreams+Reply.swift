import LinuxRings
import Meters
import SystemPackage

/// The replies of a connection, which wait by the buffer that they are for, and who may use the buffer.
extension MultishotStreams {
    /// A connection: the first and the last of the replies that wait on it, and how it ends.
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
    }

    @unsafe func sendFirst(_ fd: CInt, _ ring: inout Ring) throws(Errno) {
        let buffer = unsafe streams[Int(fd)].first
        let reply = unsafe replies[Int(buffer)]
        guard let start = unsafe reply.start else { return }
        guard sending.hasNotifications else {
            return try unsafe ring.prepareSend(
                file(fd), from: start, count: reply.count, token: Token(.send, fd).rawValue)
        }
        let token = Token(.send, fd, generation: UInt32(buffer)).rawValue
        if unsafe reply.isCopied {
            return try unsafe ring.prepareSend(file(fd), from: start, count: reply.count, token: token)
        }
        try unsafe sending.prepareZeroCopy(file(fd), from: start, count: reply.count, token: token, &ring)
    }

    /// True if a send failed because so much memory must not be locked for those that are on their way (`ENOMEM`). It is
    /// made again, with a copy.
    func mustCopy(_ buffer: Int, _ fd: CInt, _ completion: borrowing Completion) -> Bool {
        guard completion.error == .noMemory, unsafe !streams[Int(fd)].isClosing && !replies[buffer].isCopied else {
            return false
        }
        unsafe replies[buffer].isCopied = true
        return true
    }

    /// The kernel is done with the memory of a send.
    func notified(
        _ buffer: UInt16, _ completion: borrowing Completion, _ group: inout BufferGroup, _ meter: WorkerMeter
    ) {
        meter.add(.notifications)
        if completion.wasCopied { meter.add(.copiedNotifications) }
        unsafe replies[Int(buffer)].notifications -= 1
        if unsafe replies[Int(buffer)].isDone { recycle(buffer, &group) }
    }

    @unsafe func dropReplies(_ fd: CInt, _ group: inout BufferGroup) {
        var next = unsafe streams[Int(fd)].first
        while next >= 0 {
            let following = unsafe replies[Int(next)].next
            recycle(UInt16(next), &group)
            next = following
        }
        unsafe streams[Int(fd)].first = -1
        unsafe streams[Int(fd)].last = -1
    }

    /// Gives a buffer back, or when the kernel no longer sends from it.
    func recycle(_ buffer: UInt16, _ group: inout BufferGroup) {
        if unsafe sending.hasNotifications && replies[Int(buffer)].notifications > 0 {
            unsafe replies[Int(buffer)].isDone = true
            return
        }
        unsafe replies[Int(buffer)] = PendingReply()
        group.recycle(buffer)
        freeBuffers += 1
    }
}
