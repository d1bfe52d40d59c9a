import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A worker pool as described: the producer makes a counter for each task, adds it to the set on which all consumers
/// wait, and writes 1; a consumer that wakes reads, closes, and does the task, whatever the read returned.
///
/// Five tasks with two waiting consumers, level- and edge-triggered. A close that fails with EBADF came second: in a
/// busy program another file would have the number by then.
let eventFDPoolDoubleClose = Experiment(
    id: "eventfd-pool-double-close",
    statement: "a pool whose consumers poll, read and close closes each counter once, registered edge-triggered",
    source: .e, keys: ["lt_ebadf", "et_ebadf"],
    observe: { ["lt_ebadf": try doubleCloses([]), "et_ebadf": try doubleCloses(.edgeTriggered), "tasks": 5] },
    judge: { .init(holds: $0["et_ebadf"] == 0) },
    explain: {
        "Of 5 tasks \($0["lt_ebadf"]) are closed twice when level-triggered, \($0["et_ebadf"]) when edge-triggered."
    })

private func doubleCloses(_ flags: EpollEvents) throws -> Int {
    let waiters = try Waiters()
    defer { waiters.end() }
    var failures = 0
    for _ in 1...5 {
        try waiters.allWait()
        let counter = try EventFD()
        let number = counter.descriptor
        try waiters.watch(number, flags.union(.readable))
        try counter.add(1)
        // The consumers own it from here on.
        _ = counter.release().release()
        let woken = try waiters.woken()
        for thread in woken.indices where woken[thread] {
            let isClosed = try waiters.threads[thread].perform {
                let counter = EventFD(owning: owned(number.rawValue))
                _ = try? counter.take()
                do throws(Errno) {
                    try counter.close()
                } catch {
                    return error != .badFileDescriptor
                }
                return true
            }
            if !isClosed { failures += 1 }
        }
    }
    return failures
}
