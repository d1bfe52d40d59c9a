import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Two readers, one signal.
///
/// 1. A and B wait on one level-triggered set for a counter.
/// 2. 1 is written; nobody reads yet, so both wake.
/// 3. A reads, then B reads.
extension Experiment {
    static let eventFDFirstReaderWins = Experiment(
        id: "eventfd-first-reader-wins",
        statement: "a write makes all waiters ready; the first read resets the counter and later ones get EAGAIN",
        source: .e, keys: ["woken", "a_read", "b_read"],
        observe: {
            let counter = try EventFD()
            let number = counter.descriptor
            let waiters = try TwoWaiters()
            defer { waiters.end() }
            try waiters.watch(number, .readable)
            try waiters.bothWait()
            try counter.add(1)
            let (a, b) = try waiters.firstWoken()
            let woken = try waiters.woken().filter { $0 }.count
            let first = try waiters.perform(a) { try takeOnce(number) }
            // Only who was woken reads.
            let second = woken == 2 ? try waiters.perform(b) { try takeOnce(number) } : "none"
            try counter.close()
            return ["woken": woken, "a_read": first, "b_read": second]
        },
        judge: { observed in
            observed["woken"] == "2" && observed["a_read"] == "1" && observed["b_read"] == "EAGAIN"
                ? .holds : .doesNotHold
        },
        explain: { "\($0["woken"] ?? "") waiters wake; A reads \($0["a_read"] ?? ""), B gets \($0["b_read"] ?? "")." })

    /// A worker pool as described: the producer makes a counter for each task, puts it into the set on which all
    /// consumers wait, and writes 1; a consumer that wakes reads, closes, and does the task, whatever the read said.
    ///
    /// Five tasks with two waiting consumers, level- and edge-triggered. A close that fails with EBADF came second: in
    /// a busy program the number would be somebody else's by then.
    static let eventFDPoolDoubleClose = Experiment(
        id: "eventfd-pool-double-close",
        statement: "a pool whose consumers poll, read and close closes each counter once, registered edge-triggered",
        source: .e, keys: ["lt_ebadf", "et_ebadf"],
        observe: { ["lt_ebadf": try doubleCloses([]), "et_ebadf": try doubleCloses(.edgeTriggered), "tasks": 5] },
        judge: { $0["et_ebadf"] == "0" ? .holds : .doesNotHold },
        explain: { observed in
            "Of 5 tasks \(observed["lt_ebadf"] ?? "") are closed twice when level-triggered, "
                + "\(observed["et_ebadf"] ?? "") when edge-triggered."
        })
}

private func takeOnce(_ counter: BorrowedDescriptor) throws(Errno) -> String {
    var value: UInt64 = 0
    let count = try nonblockingSystemCall { unsafe read(counter.rawValue, &value, 8) }
    return count == nil ? "EAGAIN" : "\(value)"
}

private func doubleCloses(_ flags: EpollEvents) throws -> Int {
    let waiters = try TwoWaiters()
    defer { waiters.end() }
    var failures = 0
    for _ in 1...5 {
        try waiters.bothWait()
        // The consumers own it from here on.
        let counter = BorrowedDescriptor(try EventFD().release().release())
        try waiters.watch(counter, flags.union(.readable))
        try addOne(to: counter)
        let woken = try waiters.woken()
        let closes = try woken.indices.filter { woken[$0] }.map { thread in
            try waiters.perform(thread) {
                _ = try? takeOnce(counter)
                return closeResult(counter)
            }
        }
        failures += closes.filter { $0 == "EBADF" }.count
    }
    return failures
}

private func addOne(to counter: BorrowedDescriptor) throws(Errno) {
    var one: UInt64 = 1
    _ = try systemCall { unsafe write(counter.rawValue, &one, 8) }
}

private func closeResult(_ descriptor: BorrowedDescriptor) -> String {
    outcome { () throws(Errno) in try OwnedDescriptor(owning: FileDescriptor(rawValue: descriptor.rawValue)).close() }
}
