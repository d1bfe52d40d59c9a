import LinuxReadiness
import Meters
import Synchronization
import SystemPackage

/// Descriptors on their way from the dispatcher to the workers: a ring of slots, and an eventfd semaphore that holds
/// as many tokens as there are descriptors in it.
///
/// The eventfd makes every system call of the handoff countable, which a mutex and a condition would hide.
@safe package final class HandoffQueue: Sendable {
    private let tokens: EventFD
    // Slots are written before their token is given and read after it was taken.
    nonisolated(unsafe) private let slots: UnsafeMutablePointer<Atomic<Int32>>
    private let mask: Int
    private let head = Atomic<Int>(0)
    private let tail = Atomic<Int>(0)

    /// Room for at least `capacity` descriptors at once.
    init(capacity: Int) throws(Errno) {
        tokens = try EventFD(count: 0, [.semaphore])
        let count = 1 << (Int.bitWidth - capacity.leadingZeroBitCount)
        unsafe slots = .allocate(capacity: count)
        for index in 0..<count { unsafe (slots + index).initialize(to: Atomic(0)) }
        mask = count - 1
    }

    deinit {
        unsafe slots.deallocate()
    }

    /// Puts a descriptor in without waking a worker; only the dispatcher does.
    func put(_ fd: CInt) {
        let place = tail.load(ordering: .relaxed)
        unsafe slots[place & mask].store(fd, ordering: .releasing)
        tail.store(place + 1, ordering: .releasing)
    }

    /// How many descriptors no worker has taken yet.
    var waiting: UInt64 {
        UInt64(max(tail.load(ordering: .relaxed) - head.load(ordering: .relaxed), 0))
    }

    /// Wakes as many workers as descriptors were put in.
    func give(_ count: Int, _ meter: WorkerMeter) throws(Errno) {
        guard count > 0 else { return }
        meter.add(.systemCalls)
        try tokens.add(UInt64(count))
    }

    /// Lets this many workers end once the queue is empty, even if the dispatcher failed.
    package func release(_ workers: Int) {
        // A semaphore's count is far from its end.
        _ = try? tokens.add(UInt64(workers))
    }

    /// Waits for a descriptor; nil when the worker is to end.
    func take(_ meter: WorkerMeter) throws(Errno) -> CInt? {
        meter.add(.systemCalls)
        _ = try tokens.take()
        meter.add(.wakeups)
        let place = head.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        guard place < tail.load(ordering: .acquiring) else { return nil }
        return unsafe slots[place & mask].load(ordering: .acquiring)
    }
}
