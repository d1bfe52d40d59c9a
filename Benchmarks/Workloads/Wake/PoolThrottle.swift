import Glibc
import LinuxDescriptors
import SystemPackage

/// How producers wait when they run out of descriptors.
///
/// A producer sleeps until consumers have closed half of what was open. One at a time would cost two thread switches a
/// task; waiting for all would leave the consumers without work.
final class PoolThrottle: Sendable {
    /// Where each producer sleeps.
    let rooms: [WakeChannel]
    private let waterlines: SharedWords
    private let throttled: SharedWord

    /// - Parameter throttled: counts the producers that sleep; it must live as long as this.
    init(producers: Int, throttled: SharedWord) throws(Errno) {
        var rooms: [WakeChannel] = []
        for _ in 0..<producers { rooms.append(try WakeChannel(.eventfd, nonblocking: false)) }
        self.rooms = rooms
        waterlines = SharedWords(count: producers, spacing: PoolBoard.wordsApart)
        self.throttled = throttled
    }

    /// A sleeping producer is woken when fewer tasks than this are open; 0 if it does not sleep.
    func waterline(_ producer: Int) -> SharedWord { waterlines[producer] }

    /// Sleeps until half of what was open is closed, or all is over.
    func sleep(_ producer: Int, _ tasks: PoolTasks, open: UInt64) {
        let waterline = waterline(producer)
        waterline.value = open / 2 + 1
        _ = throttled.add(1)
        // Consumers that closed theirs before they could see the waterline will not look again.
        let drained = tasks.open.value <= open / 2 || tasks.over.value != 0
        if drained && waterline.exchange(0) != 0 {
            _ = throttled.subtract(1)
            return
        }
        var amount: UInt64 = 0
        let room = rooms[producer].input.rawValue
        while unsafe read(room, &amount, 8) < 0 && errno == EINTR {}
    }

    /// Wakes the producers whose waterline is reached, now that so many tasks are `open`.
    @inline(never) func wake(open: UInt64) {
        for (producer, room) in rooms.enumerated() {
            let waterline = waterline(producer)
            let mark = waterline.value
            guard mark != 0, open < mark, waterline.replace(mark, by: 0) else { continue }
            _ = throttled.subtract(1)
            room.wakeFromOutside()
        }
    }

    /// Wakes all that sleep, at the end.
    func wakeAll() {
        for room in rooms { room.wakeFromOutside() }
    }
}

/// Makes a task's signal; waits for descriptors to be closed if there is none left (`EMFILE`, `ENFILE`).
///
/// - Returns: nil if there is none left and all is over.
@inline(__always)
func openSignal(
    _ tasks: PoolTasks, _ throttle: PoolThrottle, _ count: inout ProducerCounts
) throws(Errno) -> SignalEnds? {
    var vainAttempts = 0
    while true {
        // Counted before it is made: another producer that finds no room must not believe that nobody has any.
        let open = tasks.open.add(1)
        do throws(Errno) {
            let ends = try SignalEnds(tasks.signal, nonblocking: true)
            count.opened(open)
            return ends
        } catch {
            guard try waitForRoom(error, tasks, throttle, &count, &vainAttempts) else { return nil }
        }
    }
}

/// - Returns: false if all is over.
/// - Throws: the error if no task has a descriptor, so that waiting would never end.
@inline(never)
private func waitForRoom(
    _ error: Errno, _ tasks: PoolTasks, _ throttle: PoolThrottle, _ count: inout ProducerCounts,
    _ vainAttempts: inout Int
) throws(Errno) -> Bool {
    let open = tasks.open.subtract(1)
    if tasks.throttled.value != 0 { throttle.wake(open: open) }
    guard error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem else { throw error }
    if tasks.over.value != 0 { return false }
    guard open > 0 else {
        // Another producer may have had the room, and its task may be done by now.
        vainAttempts += 1
        if vainAttempts == 100 { throw error }
        return true
    }
    vainAttempts = 0
    count.waits += 1
    throttle.sleep(count.producer, tasks, open: open)
    return true
}
