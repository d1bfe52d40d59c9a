import Glibc
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// Completions for which the queue has no room: it has four places, and 64 requests complete before one is taken, each of
/// them a poll of something that is readable. Then all are taken that come.
///
/// Linux 5.10 takes no request while there are completions that it could not hand over, and says `EBUSY`
/// (`io_uring_setup(2)`); 5.15 takes all. Where it does, fewer are `submitted`, and the one that was `refused` is handed
/// over again as soon as some were taken; it must come, too.
///
/// `kept` is how many there were beyond the queue's places when the first was taken, `dropped` the kernel's own count of
/// what it lost; `in_order` says whether they came in the order of the requests.
let ringOverflowKeeps = Experiment(
    id: "uring-overflow-keeps",
    statement: "completions never get lost since NODROP (Linux 5.5): those that do not fit the queue come later",
    source: .liburing("io_uring_setup(2)"), needs: [.noDrop], keys: ["submitted", "kept", "received", "dropped"],
    observe: { try observeOverflow { (ring) throws(Errno) in try ring.submit() } },
    judge: { observed in
        guard observed["received"] == observed["submitted"], observed["dropped"] == 0 else { return .doesNotHold }
        // Where nothing was beyond the queue's places, nothing was seen to come later.
        return observed["kept"].number > 0 ? .holds : .depends
    },
    explain: {
        "Of \($0["submitted"]) completions for a queue of 4, \($0["received"]) came, "
            + ($0["in_order"] == true ? "in order" : "in another order")
            + ($0["refused"] == true ? "; with \($0["kept"]) kept, the kernel took no more requests (EBUSY)." : ".")
    })

private let places: UInt32 = 4
private let requests = 64
/// For what must come, and comes at once.
private let limitNanoseconds: UInt64 = 2_000_000_000

/// - Parameter submit: hands over what is queued; throws `EBUSY` if the kernel takes nothing before completions were
///   taken.
func observeOverflow(_ submit: (inout Ring) throws(Errno) -> Void) throws -> Observed {
    var ring = try Ring(entries: 2, completions: places)
    let ready = try EventFD(count: 1)
    var (queued, isRefused) = (0, false)
    while queued < requests && !isRefused {
        try ring.preparePoll(ready.descriptor, .readable, token: UInt64(queued))
        queued += 1
        isRefused = try isBusy(&ring, submit)
    }
    let kept = max(0, Int(ring.submitted) - Int(places))
    var (received, isInOrder) = (0, true)
    let end = monotonicNanoseconds() + limitNanoseconds
    while received < queued && monotonicNanoseconds() < end {
        while let completion = ring.nextCompletion() {
            if completion.token != UInt64(received) || completion.error != nil { isInOrder = false }
            received += 1
        }
        // What is still queued is handed over, and what was kept comes; a look needs no wait, which Linux 5.10 has
        // only without a limit.
        _ = try isBusy(&ring) { (ring) throws(Errno) in try ring.submitAndCollect() }
    }
    try ready.close()
    return [
        "submitted": queued, "kept": kept, "received": received, "dropped": ring.droppedCompletions,
        "refused": isRefused, "in_order": isInOrder,
    ]
}

/// Whether the kernel takes nothing before completions were taken (`EBUSY`), or says that it lost one (`EBADR`), which
/// its count tells as well.
private func isBusy(_ ring: inout Ring, _ enter: (inout Ring) throws(Errno) -> Void) throws(Errno) -> Bool {
    var refusal: Errno?
    do throws(Errno) { try enter(&ring) } catch { refusal = error }
    if let refusal, ![.resourceBusy, Errno(rawValue: EBADR)].contains(refusal) { throw refusal }
    return refusal == .resourceBusy
}
