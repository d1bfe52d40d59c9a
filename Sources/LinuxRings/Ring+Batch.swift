import CIOUring
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Waiting for several completions at once, and for how long.
extension Ring {
    /// Hands over all queued submissions and waits as a batch says, in one `io_uring_enter(2)`. A signal ends it, too, and
    /// so does a timeout request that expires.
    ///
    /// - Returns: whether as many completions are ready as the batch is for; fewer, also none, when a time is over or
    ///   something else ended the wait.
    /// - Throws: `EINVAL` for more completions than the queue has room for, and for times that this kernel does not take
    ///   (``WaitBatch``); what ``submit()`` throws.
    @discardableResult public mutating func submitAndWait(batch: WaitBatch) throws(Errno) -> Bool {
        guard unsafe batch.count <= ring.cq.ring_mask &+ 1, takes(batch) else { throw .invalidArgument }
        guard batch.hasLimit else { return unsafe try wait(for: batch, nil) }
        var limit = __kernel_timespec(tv_sec: batch.limitTime.seconds, tv_nsec: batch.limitTime.nanoseconds)
        return unsafe try wait(for: batch, &limit)
    }

    private func takes(_ batch: WaitBatch) -> Bool {
        (!batch.hasLimit || features.contains(.extendedArgument))
            && (batch.minimumMicroseconds == 0 || features.contains(.minimumWait))
    }

    private mutating func wait(
        for batch: WaitBatch, _ limit: UnsafeMutablePointer<__kernel_timespec>?
    ) throws(Errno) -> Bool {
        try isOver(batch.count) { (ring) in
            unsafe ring.enter(waitingFor: batch.count, limit, minimumMicroseconds: batch.minimumMicroseconds).result
        }
    }

    @inline(__always) private mutating func isOver(
        _ count: UInt32, _ enter: (inout Ring) -> CInt
    ) throws(Errno) -> Bool {
        while true {
            let queued = unhanded
            let result = enter(&self)
            if result < 0 && result != -ETIME && result != -EINTR { throw Errno(rawValue: -result) }
            if readyCompletions >= count { return true }
            // After a refused submission the kernel did not wait at all; with the rest handed over it does.
            let left = unhanded
            guard left > 0 && left < queued else { return false }
        }
    }

    /// Hands over all queued submissions and takes what waits to be posted, without waiting for more
    /// (`io_uring_submit_and_get_events(3)`): always one `io_uring_enter(2)`, for a thread that looks at its ring and does
    /// not want to block. Without ``RingSetup/deferTaskRun`` and ``RingSetup/cooperativeTaskRun`` a look at
    /// ``readyCompletions`` tells as much.
    ///
    /// - Returns: whether a completion is ready.
    /// - Throws: what ``submit()`` throws.
    @discardableResult public mutating func submitAndCollect() throws(Errno) -> Bool {
        let result = unsafe enter(waitingFor: 0, collects: true) { c_io_uring_enter($0, $1, 0, $2, nil, nil, 0) }.result
        if result < 0 && result != -EINTR { throw Errno(rawValue: -result) }
        return readyCompletions > 0
    }

    // MARK: Waits that are registered

    /// Puts batches where the kernel reads them by itself (`IORING_REGISTER_MEM_REGION` with
    /// `IORING_MEM_REGION_REG_WAIT_ARG`, Linux 6.13), which saves each wait two copies from this process's memory.
    ///
    /// ```swift
    /// var ring = try Ring(entries: 64, [.startsDisabled, .singleIssuer, .deferTaskRun])
    /// let waits = try ring.registerWaits([WaitBatch(count: 16, limit: .microseconds(100))])
    /// try ring.enable()
    /// try ring.submitAndWait(registered: waits[0])
    /// ```
    ///
    /// - Parameter batches: as many as are needed, at least one.
    /// - Returns: what names them, in their order. They mean nothing to another ring.
    /// - Throws: `EINVAL` for none, before Linux 6.13, and of a ring that is enabled: only one that starts disabled
    ///   (``RingSetup/startsDisabled``) takes them. `EBUSY` of one that has some. `ENOMEM`.
    public mutating func registerWaits(_ batches: [WaitBatch]) throws(Errno) -> [RegisteredWait] {
        if batches.isEmpty || isEnabled { throw .invalidArgument }
        let stride = MemoryLayout<c_registered_wait>.stride
        let memory = try RingMemory(bytes: batches.count * stride)
        for (index, batch) in batches.enumerated() {
            var wait = c_registered_wait()
            wait.minimum_us = batch.minimumMicroseconds
            if batch.hasLimit {
                wait.flags = C_IORING_REG_WAIT_TS
                wait.limit.tv_sec = batch.limitTime.seconds
                wait.limit.tv_nsec = batch.limitTime.nanoseconds
            }
            unsafe (memory.start + index * stride).storeBytes(of: wait, as: c_registered_wait.self)
        }
        let result = unsafe c_io_uring_register_waits(descriptor.rawValue, memory.start, UInt(memory.bytes))
        if result < 0 { throw Errno(rawValue: -result) }
        waitMemory = consume memory
        return batches.indices.map { RegisteredWait(count: batches[$0].count, offset: UInt($0 * stride)) }
    }

    /// Like ``submitAndWait(batch:)`` with a batch that was registered.
    ///
    /// - Throws: `EINVAL` of a ring without registered waits, and what the other throws.
    @discardableResult public mutating func submitAndWait(registered wait: RegisteredWait) throws(Errno) -> Bool {
        guard let memory = waitMemory?.bytes, wait.offset < memory, unsafe wait.count <= ring.cq.ring_mask &+ 1 else {
            throw .invalidArgument
        }
        return try isOver(wait.count) { (ring) in
            unsafe ring.enter(waitingFor: wait.count) { (number, submissions, flags) in
                // Without a wait there is nothing to read, and the kernel wants none.
                flags & UInt32(IORING_ENTER_GETEVENTS) == 0
                    ? c_io_uring_enter(number, submissions, 0, flags, nil, nil, 0)
                    : c_io_uring_enter_registered(number, submissions, wait.count, flags, wait.offset)
            }.result
        }
    }
}

/// A ``WaitBatch`` that the kernel reads by itself (``Ring/registerWaits(_:)``).
@frozen public struct RegisteredWait: Sendable, Hashable {
    /// How many completions are enough.
    public let count: UInt32
    let offset: UInt
}
