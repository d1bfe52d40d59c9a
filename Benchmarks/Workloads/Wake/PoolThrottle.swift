import Glibc
import LinuxReadiness
import SystemPackage

// A producer that runs out of descriptors sleeps until consumers have closed half of what was open. One at a time
// would cost two thread switches a task; waiting for all would leave the consumers without work.

/// Makes a task's signal; waits for descriptors to be closed if there is none left (`EMFILE`, `ENFILE`).
@inline(__always)
func openSignal(_ board: PoolBoard, _ producer: Int, _ count: inout ProducerCounts) throws(Errno) -> SignalEnds {
    while true {
        do throws(Errno) {
            let ends = try SignalEnds(board.signal, nonblocking: true)
            count.opened(board.open.add(1))
            return ends
        } catch {
            guard error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem else { throw error }
            try waitForRoom(board, producer, &count, error)
        }
    }
}

/// - Throws: `error` if no task has a descriptor, so that waiting would never end.
@inline(never)
private func waitForRoom(
    _ board: PoolBoard, _ producer: Int, _ count: inout ProducerCounts, _ error: Errno
) throws(Errno) {
    let open = board.open.value
    if open == 0 {
        // The last one may have been closed since; then the next attempt succeeds.
        let ends: SignalEnds
        do throws(Errno) { ends = try SignalEnds(board.signal, nonblocking: true) } catch { throw error }
        return ends.close()
    }
    count.waits += 1
    let waterline = board.waterline(producer)
    waterline.value = open / 2 + 1
    _ = board.throttled.add(1)
    // Consumers that closed theirs before they could see the waterline will not look again.
    let drained = board.open.value <= open / 2 || board.over.value != 0
    if drained && waterline.exchange(0) != 0 {
        _ = board.throttled.subtract(1)
        return
    }
    var amount: UInt64 = 0
    let room = board.rooms[producer].input.rawValue
    while unsafe read(room, &amount, 8) < 0 && errno == EINTR {}
}

/// Wakes producers whose waterline is reached, now that so many tasks are `open`.
@inline(__always)
func releaseProducers(_ board: PoolBoard, open: UInt64) {
    if board.throttled.value != 0 { wakeThrottled(board, open: open) }
}

@inline(never)
func wakeThrottled(_ board: PoolBoard, open: UInt64) {
    for (producer, room) in board.rooms.enumerated() {
        let waterline = board.waterline(producer)
        let mark = waterline.value
        guard mark != 0, open < mark, waterline.replace(mark, by: 0) else { continue }
        _ = board.throttled.subtract(1)
        room.wakeFromOutside()
    }
}
