package import Meters
package import SystemPackage

/// The queues of a pool with a descriptor for each consumer: one from each producer to each consumer, so that none
/// needs a lock, and a word by which a consumer says that it sleeps.
package final class TaskQueues: Sendable {
    let table: TaskTable
    package let channels: [WakeChannel]
    let producers: Int
    private let items: SharedWords
    private let tails: SharedWords
    /// By consumer: 1 while it waits for a signal, or is about to.
    let sleepers: SharedWords
    private let capacity: Int

    package init(_ table: TaskTable, producers: Int, _ channels: [WakeChannel]) {
        self.table = table
        self.channels = channels
        self.producers = producers
        // A producer's tasks are dealt out in turn, so no queue gets more.
        capacity = table.count / producers / channels.count + 2
        items = SharedWords(count: capacity * producers * channels.count, spacing: 1)
        tails = SharedWords(count: producers * channels.count)
        sleepers = SharedWords(count: channels.count)
    }

    /// How many tasks a producer has queued for a consumer so far.
    func tail(_ producer: Int, _ consumer: Int) -> SharedWord { tails[producer * channels.count + consumer] }

    /// The place of a task in a queue.
    func item(_ producer: Int, _ consumer: Int, _ index: UInt64) -> SharedWord {
        items[(producer * channels.count + consumer) * capacity + Int(index)]
    }

    /// Queues tasks for the consumers in turn, and signals those that sleep.
    @inline(__always) package func produce(
        _ range: Range<Int>, from producer: Int, _ signal: (WakeChannel) throws(Errno) -> Void
    ) throws(Errno) {
        for task in range {
            if table.tasks.over.relaxed != 0 { return }
            let consumer = (task - range.lowerBound) % channels.count
            let tail = tail(producer, consumer)
            let index = tail.relaxed
            item(producer, consumer, index).relaxed = UInt64(task)
            table.tasks.handedAt[task].relaxed = monotonicNanoseconds()
            tail.value = index + 1
            let sleeper = sleepers[consumer]
            if sleeper.value != 0 && sleeper.exchange(0) != 0 { try signal(channels[consumer]) }
        }
    }
}

/// A consumer's side of the queues.
package struct QueueConsumer: SignalLoop, ~Copyable {
    private let queues: TaskQueues
    private let tasks: PoolTasks
    private let consumer: Int
    private var heads: [UInt64]
    let meter: WorkerMeter
    package let latencies = LatencyBuckets()
    /// Called when the consumer can be woken; returns when it may begin.
    private let ready: () -> Void

    package init(_ queues: TaskQueues, _ consumer: Int, _ meter: WorkerMeter, ready: @escaping () -> Void) {
        self.queues = queues
        tasks = queues.table.tasks
        self.consumer = consumer
        self.meter = meter
        heads = [UInt64](repeating: 0, count: queues.producers)
        self.ready = ready
    }

    /// Prepares what the mode waits with on this thread, and runs to the end.
    ///
    /// - Throws: `ENOTSUP` for a mode that cannot wait for a signal.
    package mutating func run(_ mode: Mode, on channel: WakeChannel) throws(Errno) { try runLoop(mode, on: channel) }

    mutating func run(_ waiter: consuming some SignalWaiter & ~Copyable) throws(Errno) {
        ready()
        try consumeQueues(&self, &waiter)
    }

    /// Does all tasks that are queued. Returns true when a signal is to be waited for, false at the end.
    ///
    /// The queues are looked at again after the consumer has said that it sleeps: a producer that queued a task before
    /// it could read that will not signal.
    @inline(__always) mutating func mustWait() -> Bool {
        let sleeper = queues.sleepers[consumer]
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
        heads.indices.contains { heads[$0] < queues.tail($0, consumer).value }
    }
}

/// The loop of a consumer with queues: do what is queued, wait for a signal, again.
@inline(never)
func consumeQueues(
    _ consumer: inout QueueConsumer, _ waiter: inout some SignalWaiter & ~Copyable
) throws(Errno) {
    while consumer.mustWait() { try waiter.wait(consumer.meter) }
}
