import LinuxRings
import Meters
import SystemPackage

/// How the thread of a ring waits for completions.
struct RingWaiting: Sendable {
    /// For one, without looking before.
    let isPlain: Bool
    private let spinNanoseconds: UInt64
    private let batch: WaitBatch
    private let registered: RegisteredWait?
    /// What is queued needs no call to be handed over, so that what has completed is taken without one.
    private let hasPoller: Bool

    /// One enter that waits for one completion.
    init() { (isPlain, spinNanoseconds, batch, registered, hasPoller) = (true, 0, WaitBatch(count: 1), nil, false) }

    /// - Parameter registered: the wait, if the kernel reads it by itself.
    init(_ options: Mode.Options, _ registered: RegisteredWait? = nil) {
        spinNanoseconds = options.spinNanoseconds
        batch = options.batch
        self.registered = registered
        hasPoller = options.poller != nil
        isPlain = spinNanoseconds == 0 && batch == WaitBatch(count: 1) && registered == nil && !hasPoller
    }

    /// Waits until there is a completion; times that end without one are no wakeups. Each enter is counted at once:
    /// without completions this may last as long as the run.
    @inline(never) func wait(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
        if hasPoller {
            try ring.submit()
            if ring.readyCompletions >= batch.count { return }
        }
        if spinNanoseconds > 0, try look(at: &ring, meter) { return }
        repeat {
            if let registered {
                try ring.submitAndWait(registered: registered)
            } else {
                try ring.submitAndWait(batch: batch)
            }
            countEnters(ring, meter)
        } while ring.readyCompletions == 0
    }

    /// Looks without waiting until there are enough completions or the time is over; tells whether there are.
    private func look(at ring: inout Ring, _ meter: WorkerMeter) throws(Errno) -> Bool {
        // Without these the kernel posts while the thread runs, so that looking takes no call.
        let entersToLook = !ring.setup.isDisjoint(with: [.deferTaskRun, .cooperativeTaskRun])
        // An enter that looks hands over what is queued, too.
        if !entersToLook { try ring.submit() }
        let end = monotonicNanoseconds() + spinNanoseconds
        repeat {
            if entersToLook {
                try ring.submitAndCollect()
                countEnters(ring, meter)
            }
            if ring.readyCompletions >= batch.count { return true }
        } while monotonicNanoseconds() < end
        return false
    }
}

extension Mode.Options {
    /// What a ring's wait is for.
    fileprivate var batch: WaitBatch {
        WaitBatch(
            count: waitFor, minimum: .nanoseconds(Int64(minimumWaitNanoseconds)),
            limit: waitLimitNanoseconds.map { .nanoseconds(Int64($0)) })
    }

    /// Makes a ring of this thread, and says how it waits.
    func makeRing(entries: UInt32, _ waiting: inout RingWaiting) throws(Errno) -> Ring {
        var setup: RingSetup = []
        if mixesCompletions { setup.insert(.mixedCompletions) }
        if registersWait { setup.insert(.startsDisabled) }
        var ring = try ring(entries, 2 * entries, setup)
        waiting = RingWaiting(self)
        if registersWait {
            waiting = RingWaiting(self, try ring.registerWaits([batch])[0])
            try ring.enable()
        }
        if registersDescriptor { try ring.registerDescriptor() }
        if busyPollMicroseconds > 0 {
            try ring.setBusyPolling(Ring.BusyPolling(duration: .microseconds(Int64(busyPollMicroseconds))))
        }
        return ring
    }

    /// With a poller, which posts by itself, `taskRun` has no meaning.
    private func ring(_ entries: UInt32, _ completions: UInt32, _ more: RingSetup) throws(Errno) -> Ring {
        var setup = more.union(.submitAll)
        if poller == nil {
            switch taskRun {
            // Every kernel that takes memory of the server's has the cheapest way of posting completions.
            case .deferred where bringsMemory: setup.formUnion([.singleIssuer, .deferTaskRun])
            case .deferred: return try Ring.forThisThread(entries: entries, completions: completions, adding: more)
            case .cooperative: setup.insert(.cooperativeTaskRun)
            case .immediate: break
            }
        }
        if bringsMemory {
            let memory = try RingMemory(bytes: RingMemory.bytesNeeded(entries: entries, completions: completions))
            return try Ring(entries: entries, completions: completions, setup, poller: poller, memory: memory)
        }
        guard let poller else { return try Ring(entries: entries, completions: completions, setup) }
        return try Ring(entries: entries, completions: completions, setup, poller: poller)
    }
}

/// One `io_uring_enter(2)`, with what the ring counted since the last one.
@inline(__always)
func waitForCompletions(
    _ ring: inout Ring, _ waiting: RingWaiting, _ meter: WorkerMeter
) throws(Errno) {
    // Looked at before the enter, which brings in what did not fit.
    if ring.completionsOverflowed { meter.add(.completionOverflows) }
    if waiting.isPlain { try ring.submitAndWait() } else { try waiting.wait(&ring, meter) }
    countEnters(ring, meter)
    meter.add(.wakeups)
}

/// Like ``waitForCompletions(_:_:_:)`` for an accept that waits for something to be closed: it does not wait long then,
/// and arms the accept again.
@inline(__always)
func waitForCompletions(
    _ ring: inout Ring, _ waiting: RingWaiting, resuming accept: inout MultishotAccept, _ meter: WorkerMeter
) throws(Errno) {
    guard let shortage = accept.shortage else { return try waitForCompletions(&ring, waiting, meter) }
    try waitShortly(&ring, meter)
    let rearms = accept.rearms
    try accept.resume(on: &ring)
    if accept.rearms > rearms { try noteShortage(shortage, meter) }
}

/// Waits for a completion, or for ten milliseconds.
func waitShortly(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    if ring.completionsOverflowed { meter.add(.completionOverflows) }
    _ = try ring.submitAndWait(timeout: .milliseconds(10))
    countEnters(ring, meter)
    meter.add(.wakeups)
}

/// Hands over what was prepared without waiting for any of it: a busy worker's replies, which cannot wait for its batch
/// to end.
@inline(__always)
func submitAtOnce(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    try ring.submit()
    countEnters(ring, meter)
}

/// Counts what the ring has counted since it was counted last.
@inline(__always)
func countEnters(_ ring: borrowing Ring, _ meter: WorkerMeter) {
    meter.add(.systemCalls, ring.enters - meter[.ringEnters])
    meter.set(.ringEnters, ring.enters)
    meter.set(.submissions, ring.submitted)
}
