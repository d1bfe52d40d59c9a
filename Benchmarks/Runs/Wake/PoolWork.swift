import Loops
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// What a consumer brings back.
struct ConsumerResult: Sendable {
    /// From handing over a task to its end.
    let latencies: LatencyRecorder
    /// Events of tasks that another consumer had taken.
    var staleEvents: UInt64 = 0
}

/// What the threads of a pool do, each between the gate and its end.
struct PoolWork: Sendable {
    let wake: WakePlan
    let mode: Mode
    /// Epoll sets that watch the tasks' descriptors: one, or one for each consumer; 0 if tasks wait in queues.
    let setCount: Int
    let table: TaskTable
    /// The queues of a pool whose tasks have no descriptors of their own.
    let queues: TaskQueues?
    let meters: WorkerMeters
    /// Passed when all threads are ready.
    let begin: StartGate
    /// Passed when all descriptors of a live pool are open.
    let opened = StartGate()

    /// Hands out the tasks of one producer.
    func produce(_ index: Int, _ sets: [SharedEpoll]) throws(Errno) -> ProducerCounts {
        let tasks = table.share(of: index, among: wake.producers)
        var count = ProducerCounts(producer: index)
        if let queues, wake.signal == .messageRing {
            var ring = try Ring.forThisThread(entries: 8)
            begin.arriveAndWait(isCounted: false)
            try queues.produce(tasks, from: index) { (channel) throws(Errno) in
                try channel.sendMessage(from: &ring)
            }
        } else {
            begin.arriveAndWait(isCounted: false)
            if let queues, wake.signal == .signalfd {
                try queues.produce(tasks, from: index) { (channel) throws(Errno) in try channel.sendThreadSignal() }
            } else if let queues {
                try queues.produce(tasks, from: index) { (channel) throws(Errno) in try channel.send() }
            } else {
                try produceDescribed(tasks, sets, &count)
            }
        }
        return count
    }

    /// Hands tasks over by descriptors of their own: to one set, or to the sets in turn.
    private func produceDescribed(
        _ range: Range<Int>, _ sets: [SharedEpoll], _ count: inout ProducerCounts
    ) throws(Errno) {
        guard wake.live else {
            for (batch, set) in batches(of: range, sets) {
                try produceDescriptors(table, batch, set.epoll, mode.capabilities.flags, &count)
            }
            return
        }
        var outputs: [CInt] = []
        outputs.reserveCapacity(range.count)
        for (batch, set) in batches(of: range, sets) {
            try openAllDescriptors(table, batch, set.epoll, mode.capabilities.flags, &outputs, &count)
        }
        opened.arriveAndWait()
        try signalAllDescriptors(table.tasks, range, outputs)
    }

    /// All tasks to the only set; or few enough at a time to keep every consumer busy.
    private func batches(of tasks: Range<Int>, _ sets: [SharedEpoll]) -> [(Range<Int>, SharedEpoll)] {
        guard sets.count > 1 else { return [(tasks, sets[0])] }
        let size = min(max(tasks.count / (8 * sets.count), 1), 64)
        return stride(from: tasks.lowerBound, to: tasks.upperBound, by: size).enumerated().map { index, start in
            (start..<min(start + size, tasks.upperBound), sets[index % sets.count])
        }
    }

    /// Does tasks until all are done.
    func consume(_ index: Int, _ sets: [SharedEpoll]) throws(Errno) -> ConsumerResult {
        let meter = meters[index]
        if let queues {
            var consumer = QueueConsumer(queues, index, meter) { [begin] in begin.arriveAndWait() }
            try consumer.run(mode, on: queues.channels[index])
            return ConsumerResult(latencies: consumer.latencies.recorder)
        }
        let events = EpollEventBuffer(capacity: 64)
        let latencies = LatencyBuckets()
        var staleEvents: UInt64 = 0
        begin.arriveAndWait()
        try consumeDescriptors(
            table, sets[index % sets.count].epoll, events, meter, latencies, staleEvents: &staleEvents)
        return ConsumerResult(latencies: latencies.recorder, staleEvents: staleEvents)
    }
}
