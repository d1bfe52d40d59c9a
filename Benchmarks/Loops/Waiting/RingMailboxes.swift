import LinuxDescriptors
import LinuxReadiness
import Synchronization
import SystemPackage

/// What a thread needs that hands connections to the rings of workers.
package final class RingHandoff: Sendable {
    let mailboxes: RingMailboxes
    private let ending: EventFD

    init(workers: Int) throws(Errno) {
        mailboxes = RingMailboxes(workers: workers)
        ending = try EventFD()
    }

    /// Readable when nothing more will be sent, and the workers are to end; borrowed.
    var end: BorrowedDescriptor { ending.descriptor }

    func release() {
        // One count is far from its end.
        _ = try? ending.add()
    }
}

/// The rings of workers, for one that hands connections to them in turn.
@safe final class RingMailboxes: Sendable {
    // Written before the gate and read behind it.
    nonisolated(unsafe) private let rings: UnsafeMutablePointer<Atomic<CInt>>
    private let count: Int

    init(workers: Int) {
        count = workers
        unsafe rings = .allocate(capacity: workers)
        for index in 0..<workers { unsafe (rings + index).initialize(to: Atomic(-1)) }
    }

    deinit {
        unsafe rings.deallocate()
    }

    /// Says where a worker takes what is handed to it; to be called before it is ready. The ring must outlive the thread
    /// that sends.
    func announce(_ ring: BorrowedDescriptor, of worker: Int) {
        unsafe rings[worker].store(ring.rawValue, ordering: .releasing)
    }

    /// The ring of the worker whose turn it is; nil if none of them has one. `turn` moves on to the next.
    @inline(__always) func next(_ turn: inout Int) -> BorrowedDescriptor? {
        for _ in 0..<count {
            let ring = unsafe rings[turn].load(ordering: .acquiring)
            turn = turn + 1 < count ? turn + 1 : 0
            if ring >= 0 { return BorrowedDescriptor(rawValue: ring) }
        }
        return nil
    }
}
