/// The sleeps of an executor, the one that ends first in front: a binary heap of operations.
///
/// Each operation knows its place, so that one that is cancelled is taken out at once.
struct TimerHeap: ~Copyable {
    private struct Timer {
        let deadline: UInt64
        let operation: UInt32
    }

    private var timers: [Timer] = []

    /// When the first sleep ends, in nanoseconds of the monotonic clock.
    var firstDeadline: UInt64? { timers.isEmpty ? nil : timers[0].deadline }

    /// Adds a sleep.
    mutating func insert(_ operation: UInt32, until deadline: UInt64, _ table: borrowing OperationTable) {
        timers.append(Timer(deadline: deadline, operation: operation))
        rise(timers.count - 1, table)
    }

    /// Takes a sleep out.
    mutating func remove(_ operation: UInt32, _ table: borrowing OperationTable) {
        let place = unsafe Int(table.at(operation).pointee.place)
        precondition(timers[place].operation == operation, "a sleep that is not in the heap")
        guard let last = timers.popLast(), place < timers.count else { return }
        timers[place] = last
        sink(place, table)
        rise(place, table)
    }

    /// Takes out the first sleep if it has ended.
    mutating func popEnded(at now: UInt64, _ table: borrowing OperationTable) -> UInt32? {
        guard !timers.isEmpty, timers[0].deadline <= now else { return nil }
        let operation = timers[0].operation
        remove(operation, table)
        return operation
    }

    private func settle(_ place: Int, _ table: borrowing OperationTable) {
        unsafe table.at(timers[place].operation).pointee.place = Int32(place)
    }

    private mutating func rise(_ start: Int, _ table: borrowing OperationTable) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            if timers[parent].deadline <= timers[place].deadline { break }
            timers.swapAt(parent, place)
            settle(place, table)
            place = parent
        }
        settle(place, table)
    }

    private mutating func sink(_ start: Int, _ table: borrowing OperationTable) {
        var place = start
        while true {
            var least = place
            for child in (2 * place + 1)..<(2 * place + 3) where child < timers.count {
                if timers[child].deadline < timers[least].deadline { least = child }
            }
            if least == place { break }
            timers.swapAt(least, place)
            settle(place, table)
            place = least
        }
        settle(place, table)
    }
}
