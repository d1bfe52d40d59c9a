import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import SystemPackage

/// A loop that waits with a ring: one request for each operation, named by it, and one enter for all that are queued.
@safe final class RingLoop: ExecutorLoop, @unchecked Sendable {
    let ring: UnsafeMutablePointer<Ring>
    let own: UnsafeMutablePointer<Own>

    /// What is the thread's own beside the ring.
    struct Own {
        /// What the alarm counted; the kernel writes it.
        var alarmCount: UInt64 = 0
        /// A read of the alarm is pending.
        var isAlarmed = false
        /// The alarm is not to be read any more.
        var isEnding = false
        /// Cancellations for which the queue had no room.
        var unsent: [UInt64] = []
        /// Operations whose cancellation the kernel did not find, and when it is asked again.
        var unsettled: [UInt64] = []
        var settleTime: UInt64 = 0
        /// Requests for which the queue had no room.
        var unqueued: [UnqueuedRequest] = []
        /// The ring's number is gone, and the kernel may still write what it was asked for.
        var isAbandoned = false
        var visits: UInt64 = 0
        var completions: UInt64 = 0
        /// What the ring had counted when it ended.
        var lastCounts: ExecutorCounts?
    }

    enum Token {
        /// Completes when the alarm was set off.
        static let alarm: UInt64 = 1
        /// Of a cancellation, beside the name of its target; no name has this bit.
        static let cancellation: UInt64 = 1 << 63
    }

    init(jobsInARow: Int) throws(Errno) {
        let alarm = try Self.makeAlarm()
        let end = try EventFD()
        unsafe ring = .allocate(capacity: 1)
        unsafe own = .allocate(capacity: 1)
        unsafe own.initialize(to: Own())
        super.init(jobsInARow: jobsInARow, alarm: alarm, end: end)
    }

    deinit {
        unsafe ring.deallocate()
        if unsafe own.pointee.isAbandoned { return }
        unsafe own.deinitialize(count: 1).deallocate()
    }

    /// Makes the ring, which belongs to the calling thread from here on.
    func open(entries: UInt32, completions: UInt32) throws(Errno) {
        let made = try makeRing(entries: entries, completions: completions)
        guard made.features.contains(.fastPoll) else { throw .notSupported }
        unsafe ring.initialize(to: made)
        takeOver()
        watchAlarm()
    }

    override var counts: ExecutorCounts {
        if let last = unsafe own.pointee.lastCounts { return last }
        var counts = ExecutorCounts()
        counts.visits = unsafe own.pointee.visits
        counts.systemCalls = unsafe ring.pointee.enters
        counts.events = unsafe own.pointee.completions
        counts.submissions = unsafe ring.pointee.submitted
        return counts
    }

    // MARK: Requests

    override nonisolated(nonsending) func performRequest(_ request: Request) async -> Int32 {
        while true {
            let name = unsafe operations.pointee.begin(.request)
            let result = await withTaskCancellationHandler {
                await unsafe withUnsafeContinuation { unsafe start(name, request, $0) }
            } onCancel: {
                requestCancellation(of: name)
            }
            if result == Self.unasked { return Self.canceled }
            if result == Self.canceled && request.deed == .accept { return await acceptWithoutWaiting(request) }
            if result != -EINTR { return result }
            // A request that a kernel thread works on is interrupted when it is cancelled.
            if Task.isCancelled || isClosing { return Self.canceled }
        }
    }

    @unsafe func start(
        _ name: UInt64, _ request: Request, _ continuation: UnsafeContinuation<Int32, Never>
    ) {
        expectOwnThread()
        guard unsafe operations.pointee.suspend(name, continuation) else { return finish(name, Self.unasked) }
        do throws(Errno) {
            try prepare(request, name)
        } catch {
            if Self.isPassing(error) { return keep(request, name) }
            finish(name, -error.rawValue)
        }
    }

    /// Queues a request; where completions have overflowed, after those were taken.
    func prepare(_ request: Request, _ token: UInt64) throws(Errno) {
        do throws(Errno) {
            try queue(request, token)
        } catch {
            guard error == .resourceBusy else { throw error }
            takeCompletions()
            try queue(request, token)
        }
    }

    func queue(_ request: Request, _ token: UInt64) throws(Errno) {
        let file = RequestFile.descriptor(request.descriptor)
        switch request.deed {
        case .receive:
            guard let memory = unsafe request.memory else { throw .invalidArgument }
            try unsafe ring.pointee.prepareReceive(file, into: memory, count: request.count, token: token)
        case .send:
            guard let memory = unsafe request.memory else { throw .invalidArgument }
            try unsafe ring.pointee.prepareSend(file, from: memory, count: request.count, token: token)
        case .accept: try unsafe ring.pointee.prepareAccept(on: request.descriptor, token: token)
        case .awaitReadable: try unsafe ring.pointee.preparePoll(request.descriptor, .readable, token: token)
        case .awaitWritable: try unsafe ring.pointee.preparePoll(request.descriptor, .writable, token: token)
        case .sleep: throw .invalidArgument
        }
    }

    override func cancelRequest(_ name: UInt64) {
        if dropUnqueued(name) { return finish(name, Self.canceled) }
        do throws(Errno) {
            try unsafe ring.pointee.prepareCancel(target: name, token: Token.cancellation | name)
        } catch {
            unsafe own.pointee.unsent.append(name)
        }
    }

    // MARK: Waiting

    override func visitKernel(waiting: Bool) {
        precondition(stamp.isCurrent, "the child of a fork came back to its parent's executor: end it with _exit(2)")
        unsafe own.pointee.visits &+= 1
        prepareAgain()
        do throws(Errno) {
            // What could not be queued would be waited for in vain.
            if waiting && hasAllQueued { try wait() } else { try look() }
        } catch {
            precondition(Self.isPassing(error), "io_uring_enter(2): \(error)")
            // Completions that are taken make room; memory may be there in a moment.
            if unsafe ring.pointee.readyCompletions == 0 { usleep(1000) }
        }
        takeCompletions()
    }

    private func wait() throws(Errno) {
        guard let limit = limitOfWait else {
            try unsafe ring.pointee.submitAndWait()
            return
        }
        if unsafe ring.pointee.features.contains(.extendedArgument) {
            _ = try unsafe ring.pointee.submitAndWait(timeout: limit)
            return
        }
        // Before Linux 5.11 a wait for completions has no limit, but the ring's descriptor can be waited for.
        try unsafe ring.pointee.submit()
        guard unsafe ring.pointee.readyCompletions == 0 else { return }
        var entry = pollfd(fd: unsafe ring.pointee.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        let milliseconds = (limit.wholeNanoseconds + 999_999) / 1_000_000
        _ = unsafe poll(&entry, 1, CInt(clamping: milliseconds))
    }

    /// Hands over what is queued, and has completions posted that wait for an enter.
    private func look() throws(Errno) {
        if unsafe ring.pointee.features.contains(.extendedArgument) {
            _ = try unsafe ring.pointee.submitAndWait(timeout: .zero)
        } else {
            try unsafe ring.pointee.submit()
        }
    }

    private func takeCompletions() {
        while let completion = unsafe ring.pointee.nextCompletion() {
            unsafe own.pointee.completions &+= 1
            let (token, result) = (completion.token, completion.result)
            switch token {
            case Token.alarm:
                unsafe own.pointee.isAlarmed = false
                watchAlarm()
            case _ where token & Token.cancellation != 0: settle(token & ~Token.cancellation, result)
            default: finish(token, result)
            }
        }
    }

    func watchAlarm() {
        if unsafe own.pointee.isEnding { return }
        let memory = unsafe UnsafeMutableRawBufferPointer(start: own, count: MemoryLayout<UInt64>.size)
        do throws(Errno) {
            try unsafe ring.pointee.prepareRead(alarm.descriptor, into: memory, token: Token.alarm)
            unsafe own.pointee.isAlarmed = true
        } catch {
            // The next visit tries again.
        }
    }

    /// Ends the read of the alarm, whose memory the kernel would write into, and then the ring. Where the ring's number is
    /// gone, closed behind its back, nobody can know when the kernel is done: the memory of both is given up.
    override func closeKernel() {
        unsafe own.pointee.isEnding = true
        if unsafe own.pointee.isAlarmed { _ = try? alarm.add() }
        while unsafe own.pointee.isAlarmed && !own.pointee.isAbandoned { visitUntilUnalarmed() }
        unsafe own.pointee.lastCounts = counts
        if unsafe !own.pointee.isAbandoned { unsafe ring.deinitialize(count: 1) }
    }

    private func visitUntilUnalarmed() {
        do throws(Errno) {
            try unsafe ring.pointee.submitAndWait()
        } catch {
            unsafe own.pointee.isAbandoned = !Self.isPassing(error)
            if unsafe ring.pointee.readyCompletions == 0 { usleep(1000) }
        }
        takeCompletions()
    }
}

/// A ring for the calling thread; apart from asynchronous functions, which may not make one.
@available(*, noasync)
private func makeRing(entries: UInt32, completions: UInt32) throws(Errno) -> Ring {
    try Ring.forThisThread(entries: entries, completions: completions)
}
