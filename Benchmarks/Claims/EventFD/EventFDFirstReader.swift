import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Two readers, one signal: A and B wait on one level-triggered set for a counter, and 1 is written; no thread reads
/// yet, so both wake. A reads, then B reads, if it woke.
let eventFDFirstReaderWins = Experiment(
    id: "eventfd-first-reader-wins",
    statement: "a write makes all waiters ready; the first read resets the counter and later ones get EAGAIN",
    source: .e, keys: ["woken", "a_read", "b_read"],
    observe: {
        let counter = Shared(try EventFD())
        let waiters = try Waiters()
        defer { waiters.end() }
        try waiters.watch(counter.value.descriptor, .readable)
        try waiters.allWait()
        try counter.value.add(1)
        let (a, b) = try waiters.firstWoken()
        let woken = try waiters.woken().count(where: \.self)
        func take(_ thread: Int) throws -> Observed.Datum {
            try waiters.threads[thread].perform { try counter.value.take()?.observed ?? "EAGAIN" }
        }
        let first = try take(a)
        return ["woken": woken, "a_read": first, "b_read": woken == 2 ? try take(b) : "none"]
    },
    judge: { .init(holds: $0["woken"] == 2 && $0["a_read"] == 1 && $0["b_read"] == "EAGAIN") },
    explain: { "\($0["woken"]) waiters wake; A reads \($0["a_read"]), B gets \($0["b_read"])." })
