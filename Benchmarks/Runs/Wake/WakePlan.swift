package import Loops
import Meters

/// The plan of a wake run: what is signalled, between whom, how often.
package struct WakePlan: Sendable, Equatable {
    /// What carries a wake from one thread to another.
    package var signal = WakeSignal.eventfd
    /// Who wakes whom.
    package var shape = WakeShape.pingPong
    /// Pool: how tasks get descriptors.
    package var descriptors = TaskDescriptors.perWorker
    /// Pool: tasks to be done.
    package var tasks = 100_000
    /// Pool: threads that hand out tasks.
    package var producers = 1
    /// Pool: threads that do tasks.
    package var consumers = 1
    /// Pool, a descriptor per task: open all of them before the first is signalled.
    package var live = false

    /// A ping-pong over eventfd; a pool of one producer and one consumer if the shape is changed.
    package init() {}

    /// Threads that are woken and counted.
    package var workerThreads: Int { shape == .pool ? consumers : 1 }

    /// Threads that wake them.
    package var clientThreads: Int {
        switch shape {
        case .pool: producers
        case .pingPong: 1
        case .timer: 0
        }
    }

    /// Descriptors without which a run cannot begin; tasks wait for theirs.
    var descriptorsNeeded: Int {
        guard shape == .pool else { return 16 }
        return 10 + (descriptors == .perWorker ? consumers * (1 + signal.descriptorCount) : producers)
    }

    /// Beyond this the table of tasks alone would fill the memory of a small machine.
    package static let mostTasks = 10_000_000
    /// Beyond this more threads than any machine has processors would only wait for one.
    package static let mostThreads = 1024
}

/// Who wakes whom.
package enum WakeShape: String, Sendable, CaseIterable {
    /// Two threads that wake each other in turn.
    case pingPong = "ping-pong"
    /// Producers that hand tasks to consumers.
    case pool
    /// One thread that waits for one time after the other.
    case timer
}

/// How the tasks of a pool get descriptors.
package enum TaskDescriptors: String, Sendable, CaseIterable {
    /// One for each task: made, watched and written by the producer; read and closed by the consumer.
    case perTask = "per-task"
    /// One for each consumer, for as long as it lives; tasks wait in a queue and a sleeping consumer is woken.
    case perWorker = "per-worker"
}

extension WakePlan {
    /// Why this mode cannot wait for the signal, and which can; nil if it can.
    package func refusal(by mode: Mode) -> String? {
        let capabilities = mode.capabilities
        if let reason = capabilities.wakeRefusal { return reason }
        if let reason = shapeRefusal { return reason }
        if !capabilities.signals.contains(signal) { return signal.refusal(by: mode.name) }
        guard usesDescriptorPerTask, let reason = capabilities.perTaskRefusal else { return nil }
        return "\(reason) or --descriptors per-worker"
    }

    /// Why the signal is none of the shape's, and which are; nil if it is.
    package var shapeRefusal: String? {
        if signal.isTimer && shape != .timer {
            return "\(signal.rawValue) wakes when a time has passed, and no other thread; use --shape timer"
        }
        if shape == .timer && !signal.isTimer {
            let timers = WakeSignal.allCases.filter(\.isTimer).map(\.rawValue)
            return "\(signal.rawValue) wakes another thread; --shape timer takes --signal "
                + "\(timers.dropLast().joined(separator: ", ")) or \(timers.last ?? "")"
        }
        guard signal == .signalfd, usesDescriptorPerTask else { return nil }
        return "a signal is sent to a thread, and a task has none; use --descriptors per-worker"
    }

    /// Descriptors that a live pool opens.
    package var liveDescriptors: Int { tasks * signal.descriptorCount }

    /// What the kernel takes for the signals of a live pool and their registrations, rounded up.
    package var liveBytes: UInt64 { UInt64(tasks) * signal.liveBytes }

    /// True if every task gets a descriptor.
    var usesDescriptorPerTask: Bool { shape == .pool && descriptors == .perTask }

    /// True if `Benchmarks/Reference` has this loop in C.
    package func hasReference(_ mode: Mode) -> Bool {
        mode.capabilities.references.contains(.wake) && shape == .pingPong && signal.isWritten
    }
}

extension WakePlan {
    /// Why the running kernel cannot carry this signal, or wait for it in this mode; nil if it can.
    ///
    /// - Parameter mode: nil for the signal alone.
    package func unsupportedReason(rings: RingSupport, in mode: Mode? = nil) -> String? {
        var needs = mode?.ringNeeds(for: .wake) ?? []
        if signal == .messageRing { needs.append(.messageRing) }
        if signal == .signalfd, mode?.mechanism == .ringSingle { needs.append(.threadSignals) }
        if let reason = RingNeed.refusal(of: needs, by: rings) { return reason }
        let isEpoll = mode?.mechanism == .epoll || mode?.mechanism == .epollOneShot
        guard signal == .waitTimeout, isEpoll, let reason = KernelTrial.preciseWaits() else { return nil }
        return "\(reason), and --signal wait-timeout-ms does without"
    }
}

extension WakeSignal {
    /// Why a mode that waits for others does not wait for this, and which do.
    fileprivate func refusal(by mode: String) -> String {
        switch self {
        case .messageRing: "msg-ring is a completion in a ring, not a descriptor; use --mode uring-single"
        case .ringTimeout: "ring-timeout is a request of a ring; use --mode uring-single or uring-poll"
        case .waitTimeout: "\(mode) waits in a call without a time limit; use --signal timerfd"
        case .waitTimeoutMilliseconds:
            "\(mode) has no time limit in milliseconds; use --mode poll or an epoll mode, or --signal wait-timeout"
        case .futex: "\(mode) cannot wait for a futex, which is no descriptor; use --mode blocking"
        case .signalfd:
            "\(mode) cannot wait for a signalfd: the kernel wakes those of all threads together, and with EPOLLEXCLUSIVE "
                + "only one; use epoll-lt or epoll-et"
        case .eventfd, .eventfdSemaphore, .pipe, .timerfd: "\(mode) cannot wait for \(rawValue)"
        }
    }
}
