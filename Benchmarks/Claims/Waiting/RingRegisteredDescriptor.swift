import LinuxRings
import Meters
import SystemPackage

/// What an `io_uring_enter(2)` costs that finds nothing to do, by the ring's descriptor and by its place in the thread's
/// own table, in CPU time; the best of 15 interleaved rounds of 2 000.
///
/// The process has more than one thread, so that looking up a descriptor takes a reference to its file; in a process of
/// one thread it does not, and there would be less to save.
let ringRegisteredDescriptor = Experiment(
    id: "uring-registered-ring",
    statement: "a registered ring descriptor saves each enter the look-up of the file",
    source: .liburing, needs: [.registeredDescriptor], conditions: Conditions(), keys: ["plain_ns", "registered_ns"],
    observe: {
        let other = try ScriptThread("another thread")
        defer { other.end() }
        var plain = try Ring(entries: 8)
        var registered = try Ring(entries: 8)
        try registered.registerDescriptor()
        var best = (plain: UInt64.max, registered: UInt64.max)
        for _ in 0..<15 {
            best.plain = min(best.plain, try nanosecondsPerEnter(&plain))
            best.registered = min(best.registered, try nanosecondsPerEnter(&registered))
        }
        return ["plain_ns": best.plain, "registered_ns": best.registered]
    },
    judge: { observed in
        let ratio = observed["registered_ns"].number / observed["plain_ns"].number
        return ratio <= 0.98 ? .holds : ratio <= 1.02 ? .depends : .doesNotHold
    },
    explain: { observed in
        "An enter that finds nothing takes \(observed["plain_ns"]) ns by the descriptor and "
            + "\(observed["registered_ns"]) ns by its place in the thread's table."
    })

private func nanosecondsPerEnter(_ ring: inout Ring) throws(Errno) -> UInt64 {
    let enters: UInt64 = 2000
    let start = threadNanoseconds()
    for _ in 0..<enters { try ring.submitAndCollect() }
    return (threadNanoseconds() - start) / enters
}
