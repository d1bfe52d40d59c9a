import CEventFD
import LinuxDescriptors
import LinuxReadiness
import Meters
import Reference
import SystemPackage

extension RallySide {
    /// Runs the C loop that waits in `read(2)`.
    func referenceRead(_ input: BorrowedDescriptor, _ output: BorrowedDescriptor) throws(Errno) {
        unsafe try reference { unsafe reference_rally_read($0, input.rawValue, output.rawValue) }
    }

    /// Runs the C loop that waits in `epoll_wait(2)`.
    func referenceEpoll(
        _ epoll: borrowing Epoll, _ input: BorrowedDescriptor, _ output: BorrowedDescriptor, drains: Bool
    ) throws(Errno) {
        let set = epoll.descriptor.rawValue
        unsafe try reference { unsafe reference_rally_epoll($0, set, input.rawValue, output.rawValue, drains) }
    }

    private func reference(_ loop: (UnsafePointer<reference_rally>) -> CInt) throws(Errno) {
        var rally = unsafe reference_rally(
            counts: meter.address, over: over.address, mine: mine.address, theirs: theirs.address,
            round_trips: roundTrips.address, one_way: oneWay.address, window_start: windowStart,
            window_end: windowEnd, load_end: loadEnd, leads: leads)
        try check(unsafe loop(&rally))
    }
}

/// Runs the C producer.
func referenceProduce(
    _ board: PoolBoard, _ range: Range<Int>, _ epoll: borrowing Epoll, _ flags: EpollEvents,
    _ count: inout ProducerCounts
) throws(Errno) {
    let semaphore = board.tasks.signal == .eventfdSemaphore ? CInt(EFD_SEMAPHORE) : 0
    var producer = reference_producer(
        index: CInt(count.producer), first_task: UInt32(range.lowerBound), end_task: UInt32(range.upperBound),
        set: epoll.descriptor.rawValue, events: flags.rawValue,
        eventfd_flags: CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK) | semaphore, waits: count.waits,
        open_peak: count.openPeak)
    let result = unsafe board.withReference { unsafe reference_produce($0, &producer) }
    count.waits = producer.waits
    count.openPeak = producer.open_peak
    try check(result)
}

/// Runs the C consumer.
func referenceConsume(
    _ epoll: borrowing Epoll, _ board: PoolBoard, _ meter: WorkerMeter, _ result: inout ConsumerCounts
) throws(Errno) {
    let set = epoll.descriptor.rawValue
    let latencies = unsafe result.latencies.address
    var stale: UInt64 = 0
    let error = unsafe board.withReference {
        unsafe reference_consume($0, set, meter.address, latencies, &stale)
    }
    result.staleEvents = stale
    try check(error)
}

extension PoolBoard {
    /// The board as the C loops take it.
    @unsafe fileprivate func withReference(_ body: (UnsafePointer<reference_pool>) -> CInt) -> CInt {
        let rooms = throttle.rooms.map { $0.input.rawValue }
        return unsafe rooms.withUnsafeBufferPointer { rooms in
            var pool = unsafe reference_pool(
                open: tasks.open.address, remaining: tasks.remaining.address, throttled: tasks.throttled.address,
                over: tasks.over.address, ended_at: tasks.endedAt.address, done_counts: tasks.doneCounts.address,
                handed_at: tasks.handedAt.address, owners: tasks.owners.address,
                finished: tasks.finished.rawValue, producers: CInt(rooms.count), rooms: rooms.baseAddress,
                waterlines: throttle.waterline(0).address, waterline_spacing: CInt(Self.wordsApart))
            return unsafe body(&pool)
        }
    }
}

private func check(_ result: CInt) throws(Errno) {
    if result != 0 { throw Errno(rawValue: result) }
}
