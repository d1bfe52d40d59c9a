import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// The tasks of one pool, or of one descriptor table of it: who has which descriptor, what is done, what is left.
///
/// A task is a number. Each is counted when it is done, so that lost ones and those done twice can be told at the end.
final class PoolBoard: Sendable {
    let tasks: Int
    let signal: WakeSignal
    /// Readable when all tasks are done or a thread failed.
    let finished: EventFD
    /// Where producers sleep that have no descriptor left.
    let rooms: [WakeChannel]
    private let counters = SharedWords(count: 5, spacing: PoolBoard.wordsApart)
    private let waterlines: SharedWords
    private let doneCounts: SharedWords
    private let handedAt: SharedWords
    private let owners: SharedWords

    /// From one word to the next where several threads write: two cache lines.
    static let wordsApart = 16

    /// Allocates all memory that the pool needs.
    ///
    /// - Parameter tableSize: descriptors that the table can hold; 0 if tasks have none.
    init(tasks: Int, producers: Int, _ signal: WakeSignal, tableSize: Int) throws(Errno) {
        self.tasks = tasks
        self.signal = signal
        finished = try EventFD()
        var rooms: [WakeChannel] = []
        for _ in 0..<producers { rooms.append(try WakeChannel(.eventfd, nonblocking: false)) }
        self.rooms = rooms
        waterlines = SharedWords(count: producers, spacing: Self.wordsApart)
        doneCounts = SharedWords(count: tasks, spacing: 1)
        handedAt = SharedWords(count: tasks, spacing: 1)
        owners = SharedWords(count: tableSize, spacing: 1)
        remaining.value = UInt64(tasks)
    }

    /// Tasks whose descriptors are open.
    var open: SharedWord { counters[0] }
    /// Tasks to be done.
    var remaining: SharedWord { counters[1] }
    /// Producers that sleep for want of descriptors.
    var throttled: SharedWord { counters[2] }
    /// Not 0 when everybody is to end.
    var over: SharedWord { counters[3] }
    /// When the last task was done.
    var endedAt: SharedWord { counters[4] }
    /// A sleeping producer is woken when fewer tasks than this are open; 0 if it does not sleep.
    func waterline(_ producer: Int) -> SharedWord { waterlines[producer] }
    /// How often a task was done.
    func doneCount(_ task: Int) -> SharedWord { doneCounts[task] }
    /// When a task was handed over.
    func handedAt(_ task: Int) -> SharedWord { handedAt[task] }
    /// Whose a descriptor is: the task in the lower half, the number that signals it in the upper one.
    func owner(_ descriptor: CInt) -> SharedWord { owners[Int(descriptor)] }

    /// The tasks of one producer.
    func share(of producer: Int, among producers: Int) -> Range<Int> {
        tasks * producer / producers..<tasks * (producer + 1) / producers
    }

    /// A task was done by the caller.
    @inline(__always) func finish(_ task: Int, _ meter: WorkerMeter, _ latencies: inout LatencyRecorder) {
        let now = monotonicNanoseconds()
        latencies.record(nanoseconds: now &- handedAt(task).relaxed)
        _ = doneCount(task).add(1)
        meter.add(.operations)
        if remaining.subtract(1) == 0 { end(at: now) }
    }

    /// Tells who waits for the end that it has come.
    @inline(never) func end(at time: UInt64) {
        endedAt.value = time
        _ = try? finished.add()
    }

    /// Counts what became of the tasks, once nobody works any more.
    func tally(into counts: inout WakeResults.PoolCounts) {
        for task in 0..<tasks {
            switch doneCount(task).relaxed {
            case 0: counts.lost += 1
            case 1: break
            default: counts.doneTwice += 1
            }
        }
    }
}
