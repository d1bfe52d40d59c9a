import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Loops
import SystemPackage

/// Threads that wait on one epoll set, or on one each. In scripts of two, A is the one that wakes first.
final class Waiters {
    let threads: [ScriptThread]
    let sets: [ScriptSet]
    private var waits: [ScriptStep<EpollEvent?>?]
    private let stop: EventFD

    init(_ count: Int = 2, _ topology: Topology = .sharedSet) throws(Errno) {
        waits = Array(repeating: nil, count: count)
        stop = try EventFD()
        sets = try ScriptSet.sets(topology, threads: count)
        threads = try scriptThreads("waiter", count: count)
    }

    func watch(_ descriptor: BorrowedDescriptor, _ events: EpollEvents) throws(Errno) {
        for set in sets { try set.epoll.add(descriptor, events, token: 0) }
    }

    func wait(_ thread: Int) {
        let set = sets[thread % sets.count]
        waits[thread] = threads[thread].start { try set.waitForOne() }
    }

    /// Starts the wait of all that do not wait yet, and returns when all sleep in the kernel.
    func allWait() throws {
        for thread in threads.indices where waits[thread]?.isFinished ?? true { wait(thread) }
        try Patience.untilAsleep(threads)
    }

    /// Waits until nothing changes any more; for each thread, whether it has woken since its wait started.
    func woken() throws -> [Bool] {
        try Patience.untilQuiet(threads)
        return waits.map { $0?.isFinished ?? false }
    }

    func firstWoken() throws -> (a: Int, b: Int) {
        guard let a = try woken().firstIndex(of: true) else { throw ScriptError("no thread woke for the first event") }
        return (a, 1 - a)
    }

    func isWoken(_ thread: Int) throws -> Bool { try woken()[thread] }

    /// Accepts on a thread that does not wait, and closes the connection: `ok`, or the name of the error.
    func accept(_ thread: Int, from listener: BorrowedDescriptor) throws -> String {
        try threads[thread].perform { acceptOutcome(listener) }
    }

    /// Reads at most 2048 bytes on a thread that does not wait; nil for `EAGAIN`.
    func read(_ thread: Int, from connection: BorrowedDescriptor) throws -> Int? {
        try threads[thread].perform { try readOnce(connection, 2048) }
    }

    /// Wakes all that still wait, and ends the threads.
    func end() {
        _ = try? stop.add()
        for set in sets { try? set.epoll.add(stop.descriptor, .readable, token: 1) }
        for thread in threads { thread.end() }
    }
}

/// Runs a script of two threads that wait for the bytes of one connection.
func onConnection<Outcome>(
    _ events: EpollEvents, _ topology: Topology = .sharedSet,
    _ script: (borrowing ConnectionPair, Waiters) throws -> Outcome
) throws -> Outcome {
    let pair = try ScriptListener().pair()
    let waiters = try Waiters(2, topology)
    defer { waiters.end() }
    try waiters.watch(pair.server.descriptor, events)
    try waiters.allWait()
    let outcome = try script(pair, waiters)
    pair.end()
    return outcome
}
