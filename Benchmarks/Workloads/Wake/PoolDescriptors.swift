import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

// A descriptor for each task. The producer makes, registers and writes it; whoever reads the signal owns it from then
// on, does the task and closes it. An event is only a hint: with level-triggered waiting several consumers are told of
// one task, and when the second gets to it, the number may be closed already (`EBADF`) or be another task's by now.
// The read decides, since the kernel gives each signal to one reader; what is closed is what was read.

/// Hands over each task by a descriptor of its own.
@inline(never)
func produceDescriptors(
    _ tasks: PoolTasks, _ range: Range<Int>, _ epoll: borrowing Epoll, _ flags: EpollEvents,
    _ throttle: PoolThrottle, _ count: inout ProducerCounts
) throws(Errno) {
    for task in range {
        guard let ends = try openSignal(tasks, throttle, &count) else { return }
        if tasks.over.relaxed != 0 { return ends.close() }
        try register(ends, task, epoll, flags, tasks)
        tasks.handedAt[task].relaxed = monotonicNanoseconds()
        try writeSignal(BorrowedDescriptor(rawValue: ends.output), nil)
    }
}

/// Opens and registers the descriptors of all tasks, and hands none over.
@inline(never)
func openAllDescriptors(
    _ tasks: PoolTasks, _ range: Range<Int>, _ epoll: borrowing Epoll, _ flags: EpollEvents,
    _ outputs: inout [CInt], _ count: inout ProducerCounts
) throws(Errno) {
    for task in range {
        if tasks.over.relaxed != 0 { return }
        let ends = try SignalEnds(tasks.signal, nonblocking: true)
        count.opened(tasks.open.add(1))
        try register(ends, task, epoll, flags, tasks)
        outputs.append(ends.output)
    }
}

/// Hands over tasks whose descriptors are open.
@inline(never)
func signalAllDescriptors(_ tasks: PoolTasks, _ range: Range<Int>, _ outputs: [CInt]) throws(Errno) {
    for (task, output) in zip(range, outputs) {
        if tasks.over.relaxed != 0 { return }
        tasks.handedAt[task].relaxed = monotonicNanoseconds()
        try writeSignal(BorrowedDescriptor(rawValue: output), nil)
    }
}

/// Does tasks as epoll reports their descriptors, until the stop signal comes: poll, read, close.
@inline(never)
func consumeDescriptors(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ tasks: PoolTasks, _ throttle: PoolThrottle,
    _ meter: WorkerMeter, _ count: inout ConsumerCounts
) throws(Errno) {
    while true {
        let ready = try epoll.wait(into: events)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = meter[.operations]
        for index in 0..<ready {
            let token = events[index].token
            if token == Token(.stop).rawValue { return }
            let descriptor = CInt(truncatingIfNeeded: token & 0xffff_ffff)
            guard try readOwned(descriptor, meter, &count) else { continue }
            let owner = tasks.owners[Int(descriptor)].relaxed
            if owner & 0xffff_ffff != token >> 32 { count.staleEvents += 1 }
            closeOwned(descriptor, owner, meter)
            let open = tasks.open.subtract(1)
            if tasks.throttled.value != 0 { throttle.wake(open: open) }
            tasks.finish(Int(truncatingIfNeeded: owner & 0xffff_ffff), meter, count.latencies)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// What a producer counts.
struct ProducerCounts: Sendable {
    /// Which producer it is.
    let producer: Int
    /// Times it waited for descriptors to be closed.
    var waits: UInt64 = 0
    /// Most tasks whose descriptors were open at once.
    var openPeak: UInt64 = 0

    @inline(__always) mutating func opened(_ open: UInt64) {
        if open > openPeak { openPeak = open }
    }
}

/// What a consumer counts.
struct ConsumerCounts: ~Copyable {
    /// From handing over a task to its end.
    let latencies = LatencyBuckets()
    /// Events of tasks that another consumer had taken: their descriptors had been read, or closed too.
    var staleEvents: UInt64 = 0
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

/// Reads a signal, which makes the reader the descriptor's owner; false if another consumer was faster.
@inline(__always)
private func readOwned(
    _ descriptor: CInt, _ meter: WorkerMeter, _ count: inout ConsumerCounts
) throws(Errno) -> Bool {
    do throws(Errno) {
        if try readSignal(BorrowedDescriptor(rawValue: descriptor), meter) { return true }
    } catch {
        guard error == .badFileDescriptor else { throw error }
    }
    // Whoever closes whatever the read said would close here what is another consumer's.
    count.staleEvents += 1
    return false
}

@inline(__always)
private func closeOwned(_ input: CInt, _ owner: UInt64, _ meter: WorkerMeter) {
    // The read end first, and its registration with it: the end of the writers would be one more edge.
    meter.add(.systemCalls)
    Glibc.close(input)
    let output = CInt(truncatingIfNeeded: owner >> 32)
    if output != input {
        meter.add(.systemCalls)
        Glibc.close(output)
    }
}
