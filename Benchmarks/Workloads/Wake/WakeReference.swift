import CEventFD
import LinuxReadiness
import Meters
import Reference
import SystemPackage

/// Latencies as the C loops record them.
@safe private final class ReferenceLatencies {
    private let buckets: UnsafeMutablePointer<UInt64>

    init() {
        unsafe buckets = .allocate(capacity: Int(REFERENCE_BUCKETS))
        unsafe buckets.initialize(repeating: 0, count: Int(REFERENCE_BUCKETS))
    }

    deinit {
        unsafe buckets.deallocate()
    }

    @unsafe var address: UnsafeMutablePointer<UInt64> { unsafe buckets }

    var recorder: LatencyRecorder {
        var recorder = LatencyRecorder()
        for bucket in 0..<Int(REFERENCE_BUCKETS) {
            let count = unsafe buckets[bucket]
            guard count > 0 else { continue }
            recorder.record(nanoseconds: reference_bucket_value(CInt(bucket)), count: count)
        }
        return recorder
    }
}

extension RallySide {
    /// Runs the C loop that waits in `read(2)`.
    mutating func referenceRead(_ input: FileDescriptor, _ output: FileDescriptor) throws(Errno) {
        unsafe try reference { unsafe reference_rally_read($0, input.rawValue, output.rawValue) }
    }

    /// Runs the C loop that waits in `epoll_wait(2)`.
    mutating func referenceEpoll(
        _ epoll: borrowing Epoll, _ input: FileDescriptor, _ output: FileDescriptor, drains: Bool
    ) throws(Errno) {
        let set = epoll.descriptor.rawValue
        unsafe try reference { unsafe reference_rally_epoll($0, set, input.rawValue, output.rawValue, drains) }
    }

    private mutating func reference(_ loop: (UnsafePointer<reference_rally>) -> CInt) throws(Errno) {
        let roundTrips = ReferenceLatencies()
        let oneWay = ReferenceLatencies()
        var rally = unsafe reference_rally(
            counts: meter.address, over: over.address, mine: mine.address, theirs: theirs.address,
            round_trips: roundTrips.address, one_way: oneWay.address, window_start: windowStart,
            window_end: windowEnd, leads: leads)
        try check(unsafe loop(&rally))
        take(roundTrips: roundTrips.recorder, oneWay: oneWay.recorder)
    }
}

/// Runs the C producer.
func referenceProduce(
    _ board: PoolBoard, _ index: Int, _ tasks: Range<Int>, _ sets: [SharedSet], _ flags: EpollEvents,
    _ count: inout ProducerCounts
) throws(Errno) {
    let numbers = sets.map { $0.epoll.descriptor.rawValue }
    let semaphore = board.signal == .eventfdSemaphore ? CInt(EFD_SEMAPHORE) : 0
    let result = unsafe numbers.withUnsafeBufferPointer { sets in
        unsafe board.withReference { pool in
            var producer = unsafe reference_producer(
                index: CInt(index), first_task: UInt32(tasks.lowerBound), end_task: UInt32(tasks.upperBound),
                sets: sets.baseAddress, set_count: CInt(sets.count), events: flags.rawValue,
                eventfd_flags: CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK) | semaphore, waits: 0, open_peak: 0)
            let result = unsafe reference_produce(pool, &producer)
            count.waits = unsafe producer.waits
            count.openPeak = unsafe producer.open_peak
            return result
        }
    }
    try check(result)
}

/// Runs the C consumer.
func referenceConsume(
    _ epoll: borrowing Epoll, _ board: PoolBoard, _ meter: WorkerMeter, _ result: inout ConsumerResult
) throws(Errno) {
    let set = epoll.descriptor.rawValue
    let latencies = ReferenceLatencies()
    var stale: UInt64 = 0
    let error = unsafe board.withReference {
        unsafe reference_consume($0, set, meter.address, latencies.address, &stale)
    }
    result.latencies = latencies.recorder
    result.staleEvents = stale
    try check(error)
}

extension PoolBoard {
    /// The board as the C loops take it.
    @unsafe fileprivate func withReference(_ body: (UnsafePointer<reference_pool>) -> CInt) -> CInt {
        let rooms = rooms.map { $0.input.rawValue }
        return unsafe rooms.withUnsafeBufferPointer { rooms in
            var pool = unsafe reference_pool(
                open: open.address, remaining: remaining.address, throttled: throttled.address,
                over: over.address, ended_at: endedAt.address, done_counts: doneCount(0).address,
                handed_at: handedAt(0).address, owners: owner(0).address, finished: finished.descriptor.rawValue,
                producers: CInt(rooms.count), rooms: rooms.baseAddress, waterlines: waterline(0).address,
                waterline_spacing: CInt(Self.wordsApart))
            return unsafe body(&pool)
        }
    }
}

private func check(_ result: CInt) throws(Errno) {
    if result != 0 { throw Errno(rawValue: result) }
}
