/// What a wake run adds to a ``RunPlan``: what is signalled, between whom, how often.
public struct WakePlan: Sendable, Equatable {
    /// What carries a wake from one thread to another.
    public var signal: WakeSignal
    /// Who wakes whom.
    public var shape: WakeShape
    /// Pool: how tasks get descriptors.
    public var descriptors: TaskDescriptors
    /// Pool: tasks to be done.
    public var tasks: Int
    /// Pool: threads that hand out tasks.
    public var producers: Int
    /// Pool: threads that do tasks.
    public var consumers: Int
    /// Pool, a descriptor per task: open all of them before the first is signalled.
    public var live: Bool

    /// A ping-pong over eventfd; a pool of one producer and one consumer if the shape is changed.
    public init() {
        signal = .eventfd
        shape = .pingPong
        descriptors = .perWorker
        tasks = 100_000
        producers = 1
        consumers = 1
        live = false
    }

    /// Descriptors without which a run cannot begin; tasks wait for theirs.
    var descriptorsNeeded: Int {
        guard shape == .pool else { return 16 }
        let each = descriptors == .perWorker ? consumers * (1 + signal.descriptorCount) : producers
        return 10 + each
    }

    /// Beyond this the table of tasks alone would fill the memory of a small machine.
    public static let mostTasks = 10_000_000
    /// Beyond this more threads than any machine has processors would only wait for one.
    public static let mostThreads = 1024
}

/// What carries a wake from one thread to another.
public enum WakeSignal: String, Sendable, CaseIterable {
    /// `eventfd(2)`: reading takes the whole count.
    case eventfd
    /// `eventfd(2)` with `EFD_SEMAPHORE`: reading takes one.
    case eventfdSemaphore = "eventfd-semaphore"
    /// `pipe(2)`, eight bytes a signal as with eventfd.
    case pipe
    /// `futex(2)`: a word of memory; no descriptor.
    case futex
    /// `IORING_OP_MSG_RING`: a completion in the receiver's ring.
    case messageRing = "msg-ring"

    /// True if a signal is written to and read from a descriptor.
    public var hasDescriptor: Bool { self != .futex && self != .messageRing }

    /// True if nothing can be left after one read.
    var readTakesAll: Bool { self == .eventfd }

    /// What the kernel takes for one that is signalled, and for its registration, rounded up. A pipe that holds
    /// something takes a page for it, beside its two files and its ring of buffers.
    var liveBytes: UInt64 { self == .pipe ? 8192 : 1024 }

    /// Descriptors that one of it takes.
    var descriptorCount: Int { self == .pipe ? 2 : 1 }
}

/// Who wakes whom.
public enum WakeShape: String, Sendable, CaseIterable {
    /// Two threads that wake each other in turn.
    case pingPong = "ping-pong"
    /// Producers that hand tasks to consumers.
    case pool
}

/// How the tasks of a pool get descriptors.
public enum TaskDescriptors: String, Sendable, CaseIterable {
    /// One for each task: made, watched and written by the producer; read and closed by the consumer.
    case perTask = "per-task"
    /// One for each consumer, for as long as it lives; tasks wait in a queue and a sleeping consumer is woken.
    case perWorker = "per-worker"
}

extension WakePlan {
    /// Why this mode cannot wait for the signal, and which can; nil if it can.
    public func refusal(by mode: Mode) -> String? {
        switch mode.mechanism {
        case .blocking: blockingRefusal
        case .select, .poll, .epoll, .epollOneShot:
            switch signal {
            case .futex: "\(mode.name) cannot wait for a futex, which is no descriptor; use --mode blocking"
            case .messageRing: "msg-ring is a completion in a ring, not a descriptor; use --mode uring-single"
            case .eventfd, .eventfdSemaphore, .pipe: callRefusal(mode)
            }
        case .dispatcher: "the dispatcher hands work over, which is what a pool's producers do; use --shape pool"
        case .ringSingle: ringRefusal(mode)
        case .ringPoll:
            signal == .messageRing
                ? "a message needs no request in the receiver's ring, so there is no poll for it; use uring-single"
                : ringRefusal(mode)
        case .ringMultishot: "\(mode.name) accepts or receives, and a signal is neither; use uring-poll or uring-single"
        }
    }

    private var blockingRefusal: String? {
        if signal == .messageRing { return "msg-ring is a completion in a ring; use --mode uring-single" }
        if usesDescriptorPerTask {
            return "a thread cannot block in the read of a descriptor that is still to be made; use an epoll mode or "
                + "--descriptors per-worker"
        }
        return nil
    }

    private func callRefusal(_ mode: Mode) -> String? {
        guard usesDescriptorPerTask, mode.mechanism == .select || mode.mechanism == .poll else { return nil }
        return "\(mode.name) is handed its descriptors with each call, so a producer cannot register a task's; use an "
            + "epoll mode or --descriptors per-worker"
    }

    private func ringRefusal(_ mode: Mode) -> String? {
        if signal == .futex { return "\(mode.name) cannot wait for a futex here; use --mode blocking" }
        if usesDescriptorPerTask {
            return "a ring takes requests from its own thread, so a producer cannot register a task's descriptor in "
                + "\(mode.name); use an epoll mode or --descriptors per-worker"
        }
        return nil
    }

    /// Descriptors that a live pool opens.
    public var liveDescriptors: Int { tasks * signal.descriptorCount }

    /// What the kernel takes for the signals of a live pool and their registrations, rounded up.
    public var liveBytes: UInt64 { UInt64(tasks) * signal.liveBytes }

    /// True if every task gets a descriptor.
    var usesDescriptorPerTask: Bool { shape == .pool && descriptors == .perTask }

    /// True if `Benchmarks/Reference` has this loop in C.
    public func hasReference(_ mode: Mode) -> Bool {
        guard signal.hasDescriptor, !live else { return false }
        return switch (mode.mechanism, shape) {
        case (.blocking, .pingPong), (.epoll, .pingPong): true
        case (.epoll, .pool), (.epollOneShot, .pool): usesDescriptorPerTask && signal != .pipe
        default: false
        }
    }
}

extension Mode {
    /// The signals that a worker of this mode can wait for.
    public var signals: [WakeSignal] {
        WakeSignal.allCases.filter { signal in
            var plan = WakePlan()
            plan.signal = signal
            return plan.refusal(by: self) == nil
        }
    }
}
