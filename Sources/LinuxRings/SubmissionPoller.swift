import CIOUring

/// The thread of the kernel that takes the submissions of a ring with ``RingSetup/submissionPolling``.
///
/// While it is awake it uses a processor whole, whether there is something to do or not, and that is charged to this
/// process: ``Ring/pollerThread()`` names it.
public struct SubmissionPoller: Sendable, Hashable {
    /// How long it looks for submissions in vain before it sleeps (`sq_thread_idle`), in whole milliseconds, at least
    /// one; a second if nil. A submission that comes later costs an enter that wakes it, which the ring makes by itself.
    public var idle: Duration?
    /// The processor that it may run on alone (`IORING_SETUP_SQ_AFF`); any if nil.
    public var processor: UInt32?

    /// Describes a poller.
    public init(idle: Duration? = nil, processor: UInt32? = nil) {
        self.idle = idle
        self.processor = processor
    }

    func write(to parameters: inout io_uring_params) {
        if let idle { parameters.sq_thread_idle = Self.milliseconds(idle) }
        guard let processor else { return }
        parameters.flags |= UInt32(IORING_SETUP_SQ_AFF)
        parameters.sq_thread_cpu = processor
    }

    /// Rounded up, at least 1, for 0 would mean a second; at most 24 days, which the kernel's ticks can count.
    static func milliseconds(_ duration: Duration) -> UInt32 {
        let time = kernelTime(duration)
        if time.seconds >= 2_000_000 { return 2_000_000_000 }
        return max(1, UInt32(time.seconds) * 1000 + UInt32((time.nanoseconds + 999_999) / 1_000_000))
    }
}
