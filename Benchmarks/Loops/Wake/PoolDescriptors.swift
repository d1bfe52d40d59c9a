import LinuxDescriptors
package import LinuxReadiness
package import Meters
package import SystemPackage

// A descriptor for each task. The producer makes, registers and writes it; the consumer that reads the signal owns it
// from then on, does the task and closes it. An event is only a hint: with level-triggered waiting several consumers are
// told of one task, and when the second reads, the descriptor may be closed already (`EBADF`) or be another task's.
// The read decides, since the kernel gives each signal to one reader; what is closed is what was read.

/// Hands over each task by a descriptor of its own.
@inline(never)
package func produceDescriptors(
    _ table: TaskTable, _ range: Range<Int>, _ epoll: borrowing Epoll, _ flags: EpollEvents,
    _ count: inout ProducerCounts
) throws(Errno) {
    let tasks = table.tasks
    for task in range {
        guard let ends = try table.throttle.openSignal(tasks.signal, &count) else { return }
        if tasks.over.relaxed != 0 { return ends.close() }
        try register(ends, task, epoll, flags, tasks)
        tasks.handedAt[task].relaxed = monotonicNanoseconds()
        try writeSignal(BorrowedDescriptor(rawValue: ends.output), nil)
    }
}

/// Opens and registers the descriptors of all tasks, and hands none over.
@inline(never)
package func openAllDescriptors(
    _ table: TaskTable, _ range: Range<Int>, _ epoll: borrowing Epoll, _ flags: EpollEvents,
    _ outputs: inout [CInt], _ count: inout ProducerCounts
) throws(Errno) {
    let tasks = table.tasks
    for task in range {
        if tasks.over.relaxed != 0 { return }
        let ends = try SignalEnds(tasks.signal, nonblocking: true)
        count.opened(table.throttle.open.add(1))
        try register(ends, task, epoll, flags, tasks)
        outputs.append(ends.output)
    }
}

/// Hands over tasks whose descriptors are open.
@inline(never)
package func signalAllDescriptors(_ tasks: PoolTasks, _ range: Range<Int>, _ outputs: [CInt]) throws(Errno) {
    for (task, output) in zip(range, outputs) {
        if tasks.over.relaxed != 0 { return }
        tasks.handedAt[task].relaxed = monotonicNanoseconds()
        try writeSignal(BorrowedDescriptor(rawValue: output), nil)
    }
}

/// Does tasks as epoll reports their descriptors, until the stop signal comes: poll, read, close.
///
/// - Parameter staleEvents: counts events of tasks that another consumer had taken: their descriptors had been read, or
///   closed too.
@inline(never)
package func consumeDescriptors(
    _ table: TaskTable, _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ meter: WorkerMeter,
    _ latencies: borrowing LatencyBuckets, staleEvents: inout UInt64
) throws(Errno) {
    let tasks = table.tasks
    while true {
        let ready = try epoll.wait(into: events)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = meter[.operations]
        for index in 0..<ready {
            let token = events[index].token
            if token == Token(.stop).rawValue { return }
            let descriptor = CInt(truncatingIfNeeded: token & 0xffff_ffff)
            guard try readOwned(descriptor, meter) else {
                // Closing the descriptor here would close another consumer's.
                staleEvents += 1
                continue
            }
            let owner = tasks.owners[Int(descriptor)].relaxed
            if owner & 0xffff_ffff != token >> 32 { staleEvents += 1 }
            SignalEnds(input: descriptor, output: CInt(truncatingIfNeeded: owner >> 32)).close(meter)
            table.throttle.noteClosed()
            tasks.finish(Int(truncatingIfNeeded: owner & 0xffff_ffff), meter, latencies)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// What a producer counts.
package struct ProducerCounts: Sendable {
    /// Which producer it is.
    let producer: Int
    /// Times it waited for descriptors to be closed.
    package var waits: UInt64 = 0
    /// Most tasks whose descriptors were open at once.
    package var openPeak: UInt64 = 0

    package init(producer: Int) { self.producer = producer }

    @inline(__always) mutating func opened(_ open: UInt64) {
        if open > openPeak { openPeak = open }
    }
}

@inline(__always)
private func register(
    _ ends: SignalEnds, _ task: Int, _ epoll: borrowing Epoll, _ flags: EpollEvents, _ tasks: PoolTasks
) throws(Errno) {
    let task = UInt64(truncatingIfNeeded: task)
    tasks.owners[Int(ends.input)].relaxed = task | UInt64(truncatingIfNeeded: ends.output) << 32
    let token = task << 32 | UInt64(truncatingIfNeeded: ends.input)
    try epoll.add(BorrowedDescriptor(rawValue: ends.input), flags, token: token)
}

/// Reads a signal, which makes the reader the descriptor's owner; false if another consumer has taken it.
@inline(__always) private func readOwned(_ descriptor: CInt, _ meter: WorkerMeter) throws(Errno) -> Bool {
    do throws(Errno) {
        return try readSignal(BorrowedDescriptor(rawValue: descriptor), meter)
    } catch {
        guard error == .badFileDescriptor else { throw error }
        return false
    }
}
