package import LinuxRings

extension Mode {
    /// How a ring sends without a copy.
    package enum ZeroCopySend: Sendable, Hashable {
        /// From memory whose pages the kernel finds and holds for each send.
        case plain
        /// From memory that the ring was given beforehand.
        case registered
    }

    /// How a loop waits and what its ring is, as far as that can be chosen: what tells a variant from its base, and what
    /// the command line sets for every mode that can. The defaults are what a mode does that is no variant.
    package struct Options: Sendable, Hashable {
        /// For how long a wait looks without blocking before it blocks.
        package internal(set) var spinNanoseconds: UInt64 = 0
        /// Completions that a ring's wait is for.
        package internal(set) var waitFor: UInt32 = 1
        /// The longest time of such a wait; nil for none.
        package internal(set) var waitLimitNanoseconds: UInt64?
        /// How long such a wait is for all of them, and not only for one.
        package internal(set) var minimumWaitNanoseconds: UInt64 = 0
        /// Takes `epoll_pwait2(2)` in place of `epoll_wait(2)`.
        var usesPwait2 = false
        /// The ring's descriptor is in the thread's own table.
        var registersDescriptor = false
        /// The times of the ring's wait are in memory that the kernel reads.
        var registersWait = false
        /// The ring's queues are in memory of the server's.
        var bringsMemory = false
        /// The ring takes completions of two sizes.
        var mixesCompletions = false
        /// When the ring posts completions.
        package var taskRun = TaskRun.deferred
        /// For how long a wait looks at the queues of network devices.
        var busyPollMicroseconds: UInt32 = 0
        /// Sends replies without a copy; nil to copy.
        package internal(set) var zeroCopy: ZeroCopySend?
        /// A thread of the kernel takes the ring's submissions; nil without.
        package internal(set) var poller: SubmissionPoller?
        /// One completion brings as many buffers as have arrived, of one request each.
        var bundles = false
        /// The kernel fills large buffers bit by bit, for all connections of a ring.
        var incrementalBuffers = false
        /// Datagrams: how many a call receives and sends.
        package var datagramCalls = DatagramCalls.single

        /// What the command line has set, as the column `options` says it: `spin=50us;wait_for=16`.
        package var text: String { given.joined(separator: ";") }
        /// The settings of the command line, in the order of its help.
        private var given: [String] = []
        /// The settings of the command line, so that another process can make the same mode.
        package private(set) var settings = WaitSettings()

        /// Takes the settings of the command line, in place of the variant's own.
        package mutating func set(_ waiting: WaitSettings) {
            settings = waiting
            if let spin = waiting.spinNanoseconds {
                spinNanoseconds = spin
                given.append("spin=\(ServiceTime.text(spin))")
            }
            if let idle = waiting.pollerIdleNanoseconds {
                poller?.idle = .nanoseconds(Int64(idle))
                given.append("poller_idle=\(ServiceTime.text(idle))")
            }
            if let processor = waiting.pollerProcessor {
                poller?.processor = processor
                given.append("poller_cpu=\(processor)")
            }
            guard let count = waiting.waitFor else { return }
            waitFor = count
            waitLimitNanoseconds = waiting.waitLimitNanoseconds
            minimumWaitNanoseconds = waiting.minimumWaitNanoseconds ?? 0
            given.append("wait_for=\(count)")
            if let limit = waitLimitNanoseconds { given.append("wait_limit=\(ServiceTime.text(limit))") }
            if let least = waiting.minimumWaitNanoseconds { given.append("min_wait=\(ServiceTime.text(least))") }
        }
    }

    /// When a ring posts its completions (`io_uring_setup(2)`).
    package enum TaskRun: String, Sendable, Hashable, CaseIterable {
        /// At once, if need be by an interruption of the thread.
        case immediate = "default"
        /// When the thread enters the kernel for whatever reason.
        case cooperative = "coop"
        /// When it waits for completions; of a kernel that cannot, the next best.
        case deferred = "defer"
    }

    /// What the command line says of waiting; nil where it says nothing.
    package struct WaitSettings: Sendable, Hashable, Codable {
        package var spinNanoseconds: UInt64?
        package var waitFor: UInt32?
        package var waitLimitNanoseconds: UInt64?
        package var minimumWaitNanoseconds: UInt64?
        /// How long a poller looks in vain before it sleeps.
        package var pollerIdleNanoseconds: UInt64?
        /// The processor that a poller runs on.
        package var pollerProcessor: UInt32?

        package init() {}
    }

    /// This mode with the settings of the command line.
    package func waiting(_ settings: WaitSettings) -> Mode {
        var settings = settings
        if options.poller == nil { (settings.pollerIdleNanoseconds, settings.pollerProcessor) = (nil, nil) }
        guard settings != WaitSettings() else { return self }
        var mode = self
        mode.options.set(settings)
        guard settings.waitFor != nil else { return mode }
        var needs = mode.capabilities.acceptNeeds ?? []
        if mode.options.waitLimitNanoseconds != nil { needs.append(.extendedArgument) }
        if mode.options.minimumWaitNanoseconds > 0 { needs.append(.minimumWait) }
        mode.capabilities.acceptNeeds = needs
        return mode
    }

    /// Why it cannot wait as the command line says, and what can; nil if it can.
    package var waitRefusal: String? {
        let other = Options()
        if options.spinNanoseconds != other.spinNanoseconds && !capabilities.looksWithoutBlocking {
            return
                "\(name) cannot look before it blocks, so it has no --spin; the epoll modes, select, poll and the uring "
                + "modes can"
        }
        if options.waitFor != other.waitFor && !capabilities.waitsForCompletions {
            return "\(name) does not wait for a number of completions, so it has no --wait-for; uring-single, "
                + "uring-multishot, uring-direct and uring-poll do"
        }
        return nil
    }
}
