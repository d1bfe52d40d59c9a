import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// The tasks of one pool, or of one descriptor table of it: who has which descriptor, what is done, what is left.
///
/// A task is a number. Each is counted when it is done, so that lost ones and those done twice can be told at the end.
final class PoolBoard: Sendable {
    let count: Int
    let tasks: PoolTasks
    /// Readable when all tasks are done or a thread failed.
    let finished: EventFD
    /// How producers wait that have no descriptor left.
    let throttle: PoolThrottle
    private let counters = SharedWords(count: 5, spacing: PoolBoard.wordsApart)
    private let doneCounts: SharedWords
    private let handedAt: SharedWords
    private let owners: SharedWords

    /// From one word to the next where several threads write: two cache lines.
    static let wordsApart = 16

    /// Allocates all memory that the pool needs.
    ///
    /// - Parameter tableSize: descriptors that the table can hold; 0 if tasks have none.
    init(count: Int, producers: Int, _ signal: WakeSignal, tableSize: Int) throws(Errno) {
        self.count = count
        finished = try EventFD()
        throttle = try PoolThrottle(producers: producers, throttled: counters[2])
        doneCounts = SharedWords(count: count, spacing: 1)
        handedAt = SharedWords(count: count, spacing: 1)
        owners = SharedWords(count: tableSize, spacing: 1)
        tasks = PoolTasks(
            signal: signal, finished: finished.descriptor, open: counters[0], remaining: counters[1],
            throttled: counters[2], over: counters[3], endedAt: counters[4], doneCounts: doneCounts.row,
            handedAt: handedAt.row, owners: owners.row)
        tasks.remaining.value = UInt64(count)
    }

    /// Not 0 when everybody is to end.
    var over: SharedWord { tasks.over }

    /// The tasks of one producer.
    func share(of producer: Int, among producers: Int) -> Range<Int> {
        count * producer / producers..<count * (producer + 1) / producers
    }

    /// Notes when the tasks were done, once nobody works any more.
    func note(in timeline: inout CompletionTimeline) {
        for task in 0..<count where tasks.doneCounts[task].relaxed > 0 {
            timeline.note(unordered: tasks.handedAt[task].relaxed)
        }
    }

    /// Counts what became of the tasks, once nobody works any more.
    func tally(into counts: inout WakeResults.PoolCounts) {
        for task in 0..<count {
            switch tasks.doneCounts[task].relaxed {
            case 0: counts.lost += 1
            case 1: break
            default: counts.doneTwice += 1
            }
        }
    }
}
