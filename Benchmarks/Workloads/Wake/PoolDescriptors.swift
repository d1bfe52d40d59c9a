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
func produceDescriptors(
    _ board: PoolBoard, _ producer: Int, _ tasks: Range<Int>, _ sets: [SharedSet], _ flags: EpollEvents,
    _ count: inout ProducerCounts
) throws(Errno) {
    for task in tasks {
        let ends = try openSignal(board, producer, &count)
        if board.over.relaxed != 0 { return ends.close() }
        try register(ends, task, sets[task % sets.count], flags, board)
        board.handedAt(task).relaxed = monotonicNanoseconds()
        try writeSignal(FileDescriptor(rawValue: ends.output), nil)
    }
}

/// Opens and registers the descriptors of all tasks, and hands none over.
func openAllDescriptors(
    _ board: PoolBoard, _ producer: Int, _ tasks: Range<Int>, _ sets: [SharedSet], _ flags: EpollEvents,
    _ outputs: inout [CInt], _ count: inout ProducerCounts
) throws(Errno) {
    for task in tasks {
        if board.over.relaxed != 0 { return }
        let ends = try SignalEnds(board.signal, nonblocking: true)
        count.opened(board.open.add(1))
        try register(ends, task, sets[task % sets.count], flags, board)
        outputs.append(ends.output)
    }
}

/// Hands over tasks whose descriptors are open.
func signalAllDescriptors(_ board: PoolBoard, _ tasks: Range<Int>, _ outputs: [CInt]) throws(Errno) {
    for (task, output) in zip(tasks, outputs) {
        if board.over.relaxed != 0 { return }
        board.handedAt(task).relaxed = monotonicNanoseconds()
        try writeSignal(FileDescriptor(rawValue: output), nil)
    }
}

/// Does tasks as epoll reports their descriptors, until the stop signal comes: poll, read, close.
func consumeDescriptors(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ board: PoolBoard, _ meter: WorkerMeter,
    _ result: inout ConsumerResult
) throws(Errno) {
    while true {
        let ready = try epoll.wait(into: events)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = meter[.operations]
        for index in 0..<ready {
            let token = events[index].token
            if token == stopToken { return }
            let descriptor = CInt(truncatingIfNeeded: token & 0xffff_ffff)
            guard try readOwned(descriptor, meter, &result) else { continue }
            let owner = board.owner(descriptor).relaxed
            if owner & 0xffff_ffff != token >> 32 { result.staleEvents += 1 }
            closeOwned(descriptor, owner, meter)
            releaseProducers(board, open: board.open.subtract(1))
            board.finish(Int(owner & 0xffff_ffff), meter, &result.latencies)
        }
        if meter[.operations] == before { meter.add(.spuriousWakeups) }
    }
}

/// What a producer counts.
struct ProducerCounts: Sendable {
    /// Times it waited for descriptors to be closed.
    var waits: UInt64 = 0
    /// Most tasks whose descriptors were open at once.
    var openPeak: UInt64 = 0

    @inline(__always) mutating func opened(_ open: UInt64) {
        if open > openPeak { openPeak = open }
    }
}

/// What a consumer brings back.
struct ConsumerResult: Sendable {
    /// From handing over a task to its end.
    var latencies = LatencyRecorder()
    /// Events that named a descriptor which another consumer had closed.
    var staleEvents: UInt64 = 0
}

@inline(__always)
private func register(
    _ ends: SignalEnds, _ task: Int, _ set: SharedSet, _ flags: EpollEvents, _ board: PoolBoard
) throws(Errno) {
    board.owner(ends.input).relaxed = UInt64(task) | UInt64(ends.output) << 32
    let token = UInt64(task) << 32 | UInt64(ends.input)
    try set.epoll.add(FileDescriptor(rawValue: ends.input), flags.union(.readable), token: token)
}

/// Reads a signal, which makes the reader the descriptor's owner; false if another consumer was faster.
@inline(__always)
private func readOwned(
    _ descriptor: CInt, _ meter: WorkerMeter, _ result: inout ConsumerResult
) throws(Errno) -> Bool {
    do throws(Errno) {
        return try readSignal(FileDescriptor(rawValue: descriptor), meter)
    } catch .badFileDescriptor {
        result.staleEvents += 1
        return false
    }
}

@inline(__always)
private func closeOwned(_ input: CInt, _ owner: UInt64, _ meter: WorkerMeter) {
    let output = CInt(truncatingIfNeeded: owner >> 32)
    if output != input {
        meter.add(.systemCalls)
        Glibc.close(output)
    }
    meter.add(.systemCalls)
    Glibc.close(input)
}
