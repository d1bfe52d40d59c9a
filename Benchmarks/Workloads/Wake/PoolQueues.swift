import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// The queues of a pool with a descriptor for each consumer: one from each producer to each consumer, so that none
/// needs a lock, and a word by which a consumer tells that it sleeps.
final class PoolQueues: Sendable {
    let board: PoolBoard
    let channels: [WakeChannel]
    let producers: Int
    private let items: SharedWords
    private let tails: SharedWords
    private let sleepers: SharedWords
    private let capacity: Int

    init(_ board: PoolBoard, producers: Int, _ channels: [WakeChannel]) {
        self.board = board
        self.channels = channels
        self.producers = producers
        // A producer's tasks are dealt out in turn, so no queue gets more.
        capacity = board.count / producers / channels.count + 2
        items = SharedWords(count: capacity * producers * channels.count, spacing: 1)
        tails = SharedWords(count: producers * channels.count, spacing: 16)
        sleepers = SharedWords(count: channels.count, spacing: 16)
    }

    /// 1 while the consumer waits for a signal, or is about to.
    func sleeper(_ consumer: Int) -> SharedWord { sleepers[consumer] }

    /// How many tasks a producer has queued for a consumer so far.
    func tail(_ producer: Int, _ consumer: Int) -> SharedWord { tails[producer * channels.count + consumer] }

    /// The place of a task in a queue.
    func item(_ producer: Int, _ consumer: Int, _ index: UInt64) -> SharedWord {
        items[(producer * channels.count + consumer) * capacity + Int(index)]
    }

    /// Queues a task; true if its consumer sleeps and the caller is the one to wake it.
    @inline(__always) func push(_ task: Int, from producer: Int, to consumer: Int) -> Bool {
        let tail = tail(producer, consumer)
        let index = tail.relaxed
        item(producer, consumer, index).relaxed = UInt64(task)
        board.tasks.handedAt[task].relaxed = monotonicNanoseconds()
        tail.value = index + 1
        let sleeper = sleeper(consumer)
        return sleeper.value != 0 && sleeper.exchange(0) != 0
    }
}

/// A consumer's side of the queues.
struct PoolInbox: ~Copyable {
    private let queues: PoolQueues
    private let tasks: PoolTasks
    private let consumer: Int
    private var heads: [UInt64]
    let meter: WorkerMeter
    let latencies = LatencyBuckets()

    init(_ queues: PoolQueues, _ consumer: Int, _ meter: WorkerMeter) {
        self.queues = queues
        tasks = queues.board.tasks
        self.consumer = consumer
        self.meter = meter
        heads = [UInt64](repeating: 0, count: queues.producers)
    }

    /// Does all tasks that are queued. Returns true when a signal is to be waited for, false at the end.
    ///
    /// The queues are looked at again after the consumer has said that it sleeps: a producer that queued a task before
    /// it could read that will not signal.
    @inline(__always) mutating func mustWait() -> Bool {
        let sleeper = queues.sleeper(consumer)
        while true {
            doTasks()
            if tasks.over.value != 0 { return false }
            sleeper.value = 1
            if !hasTasks && tasks.over.value == 0 { return true }
            // A signal that is under way must be taken, or it would end the next wait.
            if sleeper.exchange(0) == 0 { return true }
        }
    }

    @inline(__always) private mutating func doTasks() {
        for producer in heads.indices {
            let tail = queues.tail(producer, consumer).value
            while heads[producer] < tail {
                let task = queues.item(producer, consumer, heads[producer]).relaxed
                heads[producer] += 1
                tasks.finish(Int(task), meter, latencies)
            }
        }
    }

    private var hasTasks: Bool {
        for producer in heads.indices where heads[producer] < queues.tail(producer, consumer).value { return true }
        return false
    }
}

/// Queues each task and signals its consumer if that sleeps.
func produceInQueues(_ queues: PoolQueues, _ producer: Int, _ tasks: Range<Int>) throws(Errno) {
    for task in tasks {
        if queues.board.over.relaxed != 0 { return }
        let consumer = (task - tasks.lowerBound) % queues.channels.count
        guard queues.push(task, from: producer, to: consumer) else { continue }
        let channel = queues.channels[consumer]
        if channel.signal == .futex {
            signalFutex(channel.futexWord, nil)
        } else {
            try writeSignal(channel.output, nil)
        }
    }
}

/// Queues each task and sends its consumer's ring a message if that sleeps.
func produceInMessages(
    _ queues: PoolQueues, _ producer: Int, _ tasks: Range<Int>, _ ring: inout Ring
) throws(Errno) {
    for task in tasks {
        if queues.board.over.relaxed != 0 { return }
        let consumer = (task - tasks.lowerBound) % queues.channels.count
        guard queues.push(task, from: producer, to: consumer) else { continue }
        let target = queues.channels[consumer].ring
        try ring.prepareMessage(to: target, messageToken: messageToken, .skipSuccess, token: 0)
        try ring.submit()
        if let error = ring.nextCompletion()?.error { throw error }
    }
}
