public import CIOUring
import Glibc
import LinuxDescriptors
import SystemPackage

/// Living with a poller (``RingSetup/submissionPolling``).
extension Ring {
    /// The thread that takes the submissions, as the kernel numbers threads: its time is in
    /// `/proc/self/task/<thread>/schedstat`, and part of what the process used.
    ///
    /// Read from `fdinfo` (`SqThread`, `io_uring(7)`), which costs some ten microseconds and more with a long queue.
    ///
    /// - Returns: nil of a ring without a poller; where the thread has ended or has not begun; where `/proc` is not
    ///   mounted or belongs to another PID namespace.
    public func pollerThread() -> CInt? {
        guard setup.contains(.submissionPolling) else { return nil }
        // The kernel leaves the line out while it is busy with the ring, and names the creator until the thread runs.
        for _ in 0..<100 {
            if let thread = Self.pollerThread(inInformationOn: descriptor.rawValue), Self.isPoller(thread) {
                return thread
            }
            sched_yield()
        }
        return nil
    }

    /// True while the poller sleeps because it found nothing for ``SubmissionPoller/idle``: `IORING_SQ_NEED_WAKEUP`.
    /// The next submission wakes it by itself.
    public var pollerSleeps: Bool {
        mutating get { unsafe setup.contains(.submissionPolling) && c_io_uring_poller_sleeps(&ring) != 0 }
    }

    /// Waits until so many submissions can be queued, as `io_uring_sqring_wait(3)` does for one.
    ///
    /// - Throws: `EBUSY` when the rest of the queue is the beginning of a chain, which must not be handed over yet, and
    ///   on kernels whose poller stops when completions overflowed.
    mutating func waitForPoller(toLeave count: UInt32) throws(Errno) {
        // What was handed over before the chain may be enough.
        if !isInChain { try submit() }
        var rounds = 0
        while true {
            // Looked at once, since the poller goes on taking.
            let ready = unsafe io_uring_sq_ready(&ring)
            if unsafe ring.sq.ring_entries - ready >= count { return }
            if ready <= unhanded { throw .resourceBusy }
            try waitForPoller(rounds)
            rounds += 1
        }
    }

    private mutating func waitForPoller(_ rounds: Int) throws(Errno) {
        var flags = UInt32(IORING_ENTER_SQ_WAIT)
        if pollerSleeps { flags |= UInt32(IORING_ENTER_SQ_WAKEUP) }
        // Before Linux 5.17 nobody promises that the poller goes on when completions overflowed.
        let mayStop = !features.contains(.skipSuccess)
        if mayStop {
            if completionsOverflowed && rounds > 1000 { throw .resourceBusy }
            flags &= ~UInt32(IORING_ENTER_SQ_WAIT)
        }
        let result = unsafe enterKernel(flags)
        if result < 0 && result != -EINTR { throw Errno(rawValue: -result) }
        // The kernel waits for a full queue only, and the poller frees what it took all at once.
        if freeEntries > 0 || mayStop { rounds < 100 ? _ = sched_yield() : Self.pause() }
    }

    private static func pause() {
        var time = timespec(tv_sec: 0, tv_nsec: 50_000)
        _ = unsafe nanosleep(&time, nil)
    }

    private static func pollerThread(inInformationOn number: CInt) -> CInt? {
        let lines = read("/proc/thread-self/fdinfo/\(number)").split(separator: UInt8(ascii: "\n"))
        let key = Array("SqThread:".utf8)
        guard let line = lines.first(where: { $0.starts(with: key) }) else { return nil }
        let digits = line.dropFirst(key.count).drop { $0 <= UInt8(ascii: " ") }
        return CInt(String(decoding: digits, as: UTF8.self)).flatMap { $0 > 0 ? $0 : nil }
    }

    private static func isPoller(_ thread: CInt) -> Bool {
        read("/proc/self/task/\(thread)/comm").starts(with: Array("iou-sqp-".utf8))
    }

    /// What a small file holds; nothing if it cannot be read.
    private static func read(_ path: String) -> [UInt8] {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return [] }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while let count = unsafe try? chunk.withUnsafeMutableBytes({ unsafe try file.read(into: $0) }), count > 0 {
            bytes += chunk.prefix(count)
        }
        return bytes
    }
}

/// Deferred work (``RingSetup/taskRunFlag``).
extension Ring {
    /// True while completions wait for an enter, in a ring with ``RingSetup/taskRunFlag``: `IORING_SQ_TASKRUN`. Then
    /// ``submit()`` enters the kernel even if nothing is queued, and they are ready after it. Costs no system call.
    @inlinable public var hasDeferredWork: Bool {
        mutating get { unsafe c_io_uring_sq_flags(&ring) & UInt32(IORING_SQ_TASKRUN) != 0 }
    }
}
