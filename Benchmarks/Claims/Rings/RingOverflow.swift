import LinuxReadiness
import LinuxRings
import SystemPackage

/// Completions for which the queue has no room: it has four places, and 64 requests complete before one is taken, each of
/// them a poll of something that is readable. Then all are taken that come.
///
/// `dropped` is the kernel's own count of what it lost; `in_order` says whether they came in the order of the requests.
let ringOverflowKeeps = Experiment(
    id: "uring-overflow-keeps",
    statement: "completions never get lost since NODROP (Linux 5.5): those that do not fit the queue come later",
    source: .liburing("io_uring_setup(2)"), needs: [.noDrop], keys: ["submitted", "received", "dropped"],
    observe: {
        var ring = try Ring(entries: 2, completions: 4)
        let ready = try EventFD(count: 1)
        var submitted = 0
        while submitted < 64 {
            try ring.preparePoll(ready.descriptor, .readable, token: UInt64(submitted))
            guard try isSubmitted(&ring) else { break }
            submitted += 1
        }
        var (received, isInOrder) = (0, true)
        while received < submitted {
            guard try ring.submitAndWait(timeout: .nanoseconds(limitNanoseconds)) else { break }
            while let completion = ring.nextCompletion() {
                if completion.token != UInt64(received) || completion.error != nil { isInOrder = false }
                received += 1
            }
        }
        try ready.close()
        return [
            "submitted": submitted, "received": received, "dropped": ring.droppedCompletions, "in_order": isInOrder,
        ]
    },
    judge: { observed in
        let isWhole = observed["submitted"].number > 4 && observed["received"] == observed["submitted"]
        return .init(holds: isWhole && observed["dropped"] == 0)
    },
    explain: {
        "Of \($0["submitted"]) completions for a queue of 4, \($0["received"]) came, "
            + ($0["in_order"] == true ? "in order." : "in another order.")
    })

/// What must come, and comes at once.
private let limitNanoseconds: UInt64 = 2_000_000_000

/// False if the kernel takes no more before completions were taken (`EBUSY`, as up to Linux 5.18).
private func isSubmitted(_ ring: inout Ring) throws(Errno) -> Bool {
    var refusal: Errno?
    do throws(Errno) { try ring.submit() } catch { refusal = error }
    if let refusal, refusal != .resourceBusy { throw refusal }
    return refusal == nil
}
