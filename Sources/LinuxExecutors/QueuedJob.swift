/// A job that waits for its turn, and how it is to be run.
struct QueuedJob: BitwiseCopyable {
    /// The job, whose address is even, and in the lowest bit whether it is an actor's.
    private let bits: UInt

    init(_ job: UnownedJob, isIsolated: Bool) {
        let address = unsafe unsafeBitCast(job, to: UInt.self)
        bits = address | (isIsolated ? 1 : 0)
    }

    var job: UnownedJob { unsafe unsafeBitCast(bits & ~1, to: UnownedJob.self) }

    /// True if it came by way of the serial executor: an actor's.
    var isIsolated: Bool { bits & 1 == 1 }
}
