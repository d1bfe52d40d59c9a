import CIOUring
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import Synchronization
import SystemPackage

/// What it costs to hand 4 000 pieces of work from one thread to two others, at most 16 of them on their way: through one
/// ring that all three share behind a lock, and through a ring for each of them and messages (`IORING_OP_MSG_RING`).
///
/// In the shared ring the first thread queues a poll that completes at once, and the others wait for completions without
/// the lock and take them with it. All three threads' CPU time counts; the best of five interleaved rounds, since
/// everything but the work only adds to it. Less is 10 % less at least.
let ringSharedCost = Experiment(
    id: "uring-shared-ring-cost",
    statement:
        "a ring for each thread, and messages to hand over, cost less than one ring that threads share behind a lock",
    source: .observation(on: "6.18"), needs: [.messageRing], conditions: Conditions(needsOptimisation: true),
    keys: ["messages_ns", "shared_ns"],
    observe: {
        var best = (messages: UInt64.max, shared: UInt64.max)
        for _ in 0..<5 {
            best.messages = min(best.messages, try nanosecondsPerPiece(MessageHandover()))
            best.shared = min(best.shared, try nanosecondsPerPiece(LockedHandover()))
        }
        return ["messages_ns": best.messages, "shared_ns": best.shared]
    },
    judge: { observed in
        let (messages, shared) = (observed["messages_ns"].number, observed["shared_ns"].number)
        return messages * 1.1 <= shared ? .holds : shared * 1.1 <= messages ? .doesNotHold : .depends
    },
    explain: {
        "A piece of work costs \($0["messages_ns"]) ns of CPU with messages and \($0["shared_ns"]) ns in a shared ring."
    })

private let pieces = 4000
private let mostUnderway = 16
private let workToken: UInt64 = 1
private let endToken: UInt64 = 2

/// Where the takers' work comes from.
private protocol Handover: Sendable {
    /// Hands a token over, to one of the takers if they have rings of their own.
    func give(_ token: UInt64, to taker: Int) throws(Errno)
    /// Takes tokens on a taker's thread until one says that it is the end; `took` is called for each of the others.
    func takeAll(_ taker: Int, ready: () -> Void, took: () -> Void) throws -> UInt64
}

/// The CPU time of all threads for a piece.
private func nanosecondsPerPiece(_ handover: some Handover) throws -> UInt64 {
    let (ready, taken) = (Counter(), Counter())
    let takers = try scriptThreads("taker", count: 2)
    defer { for thread in takers { thread.end() } }
    let steps = takers.enumerated().map { index, thread in
        thread.start { try handover.takeAll(index, ready: ready.add, took: taken.add) }
    }
    try Patience.until("the takers are ready") { ready.count == takers.count }
    let start = threadNanoseconds()
    for piece in 0..<pieces {
        try handover.give(workToken, to: piece % takers.count)
        let full = monotonicNanoseconds()
        while piece + 1 - taken.count >= mostUnderway {
            try giveUp(after: full)
            sleepUntil(nanoseconds: monotonicNanoseconds() + 20_000)
        }
    }
    let own = threadNanoseconds() - start
    try Patience.until("all work is taken") { taken.count == pieces }
    for taker in takers.indices { try handover.give(endToken, to: taker) }
    return try steps.reduce(own) { $0 + (try $1.result()) } / UInt64(pieces)
}

private final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .acquiring) }

    func add() { value.wrappingAdd(1, ordering: .acquiringAndReleasing) }
}

/// A wait that found nothing for so long ends the experiment.
private func giveUp(after start: UInt64) throws {
    guard monotonicNanoseconds() - start < Patience.limitNanoseconds else {
        throw Undecided("a thread was handed nothing within 10 s")
    }
}

/// A ring for each thread.
private final class MessageHandover: Handover {
    private let sender: Mutex<Ring>
    private let first = Atomic<CInt>(-1)
    private let second = Atomic<CInt>(-1)

    init() throws(Errno) { sender = Mutex(try Ring.forThisThread(entries: 64)) }

    func give(_ token: UInt64, to taker: Int) throws(Errno) {
        let number = taker == 0 ? first.load(ordering: .acquiring) : second.load(ordering: .acquiring)
        // One thread gives, so the lock is free.
        try sender.withLock { (ring) throws(Errno) in
            try ring.prepareMessage(
                to: BorrowedDescriptor(rawValue: number), messageToken: token, .skipSuccess, token: 0)
            try ring.submit()
        }
    }

    func takeAll(_ taker: Int, ready: () -> Void, took: () -> Void) throws -> UInt64 {
        var ring = try Ring.forThisThread(entries: 64)
        let number = ring.descriptor.rawValue
        if taker == 0 {
            first.store(number, ordering: .releasing)
        } else {
            second.store(number, ordering: .releasing)
        }
        ready()
        let start = threadNanoseconds()
        while true {
            let asleep = monotonicNanoseconds()
            while try !ring.submitAndWait(timeout: .milliseconds(100)) { try giveUp(after: asleep) }
            while let completion = ring.nextCompletion() {
                if completion.token == endToken { return threadNanoseconds() - start }
                took()
            }
        }
    }
}

/// One ring behind a lock.
private final class LockedHandover: Handover {
    private let ring: Mutex<Ring>
    private let number: CInt
    /// Readable for ever, so that a poll of it completes at once.
    private let ready: EventFD

    init() throws(Errno) {
        let ring = try Ring(entries: 64)
        number = ring.descriptor.rawValue
        self.ring = Mutex(ring)
        ready = try EventFD(count: 1)
    }

    func give(_ token: UInt64, to taker: Int) throws(Errno) {
        try ring.withLock { (ring) throws(Errno) in
            try ring.preparePoll(ready.descriptor, .readable, token: token)
            try ring.submit()
        }
    }

    func takeAll(_ taker: Int, ready: () -> Void, took: () -> Void) throws -> UInt64 {
        ready()
        let start = threadNanoseconds()
        var asleep = monotonicNanoseconds()
        while true {
            guard let token = ring.withLock({ $0.nextCompletion()?.token }) else {
                var limit = __kernel_timespec(tv_sec: 0, tv_nsec: 100_000_000)
                // Without the lock, or nobody could give: IORING_ENTER_GETEVENTS touches no queue of ours.
                _ = unsafe c_io_uring_enter(number, 0, 1, UInt32(IORING_ENTER_GETEVENTS), &limit, nil, 0)
                try giveUp(after: asleep)
                continue
            }
            if token == endToken { return threadNanoseconds() - start }
            took()
            asleep = monotonicNanoseconds()
        }
    }
}
