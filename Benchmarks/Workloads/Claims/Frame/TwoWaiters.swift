import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Threads A and B of a script, which wait on one set or on a set each. Whoever wakes first is A.
final class TwoWaiters {
    let threads: [ScriptThread]
    let sets: EpollSets
    private var waits: [ScriptStep<EpollEvent?>?] = [nil, nil]
    private let stop: EventFD

    init(_ topology: Topology = .sharedSet) throws(Errno) {
        threads = try scriptThreads("waiter", count: 2)
        stop = try EventFD()
        sets = try EpollSets(count: topology == .sharedSet ? 1 : 2)
    }

    /// Puts a descriptor into every set.
    func watch(_ descriptor: BorrowedDescriptor, _ events: EpollEvents) throws(Errno) {
        for index in 0..<sets.count { try sets[index].add(descriptor, events, token: 0) }
    }

    /// The set that a thread waits on.
    func set(of thread: Int) -> EpollSets.EpollSet { sets[thread % sets.count] }

    /// Lets a thread wait.
    func wait(_ thread: Int) {
        let set = set(of: thread)
        waits[thread] = threads[thread].start { try set.waitForOne() }
    }

    /// Lets those wait that do not, and returns when both are asleep in the kernel.
    func bothWait() throws {
        for thread in threads.indices where waits[thread].map(\.isFinished) ?? true { wait(thread) }
        try Patience.untilAsleep(threads)
    }

    /// Returns when nothing changes any more: which threads have been woken since they were let wait.
    func woken() throws -> [Bool] {
        try Patience.untilQuiet(threads)
        return waits.map { $0?.isFinished ?? false }
    }

    /// The first thread that woke for what just happened, and the other one.
    func firstWoken() throws -> (a: Int, b: Int) {
        let woken = try woken()
        guard let a = woken.firstIndex(of: true) else { throw ScriptError("nobody woke for the first event") }
        return (a, 1 - a)
    }

    /// True if the thread was woken.
    func isWoken(_ thread: Int) throws -> Bool { try woken()[thread] }

    /// Lets a thread that does not wait do something, and returns what came of it.
    func perform<Outcome: Sendable>(_ thread: Int, _ body: @escaping @Sendable () throws -> Outcome) throws -> Outcome {
        try threads[thread].perform(body)
    }

    /// Lets go of whoever still waits and ends the threads.
    func end() {
        _ = try? stop.add()
        for index in 0..<sets.count { try? sets[index].add(stop.descriptor, .readable, token: 1) }
        for thread in threads { thread.end() }
    }
}
