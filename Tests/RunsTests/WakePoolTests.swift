import Histogram
import LinuxDescriptors
import LinuxReadiness
import Meters
import Records
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Runs

@Suite(.serialized) struct WakePoolTests {
    /// Runs a pool and returns its row.
    private func pool(_ mode: Mode, _ change: (inout WakePlan) -> Void) throws -> RunRecord {
        var plan = RunPlan(.wake, mode: mode)
        plan.wake.shape = .pool
        plan.wake.tasks = 3000
        change(&plan.wake)
        if plan.wake.usesDescriptorPerTask { plan.loop.topology = .sharedSet }
        return try record(plan)
    }

    private func record(_ plan: RunPlan) throws -> RunRecord {
        var record = RunRecord(plan)
        // A busy machine can keep a ping-pong off the processors for its whole window.
        for _ in 0..<10 {
            try measure(plan, try Interruption()).fill(&record, plan)
            if !record.reason.hasPrefix("no operation") { break }
        }
        return record
    }

    /// Level-triggered, several consumers are told of one task: each is still done once, and no descriptor but a
    /// task's is touched.
    @Test(arguments: ["epoll-lt", "epoll-exclusive", "epoll-et", "epoll-oneshot"], [WakeSignal.eventfd, .pipe])
    func consumersInOneSetDoEveryTaskOnce(_ name: String, _ signal: WakeSignal) throws {
        let mode = try #require(Mode.named(name))
        let row = try pool(mode) {
            $0.descriptors = .perTask
            $0.signal = signal
            $0.tasks = 10_000
            $0.producers = 2
            $0.consumers = 3
        }
        #expect(row.status == .ok, "\(row.reason)")
        #expect(row.operations == 10_000 && row.tasksLost == 0 && row.tasksDoneTwice == 0)
        if name == "epoll-et" || name == "epoll-oneshot" { #expect(row.staleEvents == 0) }
    }

    @Test(arguments: WakeSignal.allCases, [1, 3])
    func queuesLoseNothing(_ signal: WakeSignal, _ consumers: Int) throws {
        let rings = RingSupport.probe()
        for mode in Mode.all where mode.unsupportedReason(rings: rings) == nil {
            var wake = WakePlan()
            wake.shape = .pool
            wake.signal = signal
            guard wake.refusal(by: mode) == nil, wake.unsupportedReason(rings: rings) == nil else { continue }
            let row = try pool(mode) {
                $0.signal = signal
                $0.producers = 2
                $0.consumers = consumers
            }
            #expect(row.status == .ok && row.operations == 3000, "\(mode.name): \(row.reason)")
            #expect(row.tasksLost == 0 && row.tasksDoneTwice == 0, "\(mode.name)")
            // Alone, nobody can be starved.
            #expect((row.starvationMaxNs != nil) == (consumers > 1), "\(mode.name)")
        }
    }

    /// Level-triggered waiting tells several consumers of one task, and the run says so.
    @Test func tellingSeveralConsumersOfOneTaskIsCounted() throws {
        let mode = try #require(Mode.named("epoll-lt"))
        var stale: UInt64 = 0
        // Whether two consumers wait at once is up to the scheduler.
        for _ in 0..<50 where stale == 0 {
            let row = try pool(mode) {
                $0.descriptors = .perTask
                $0.tasks = 5000
                $0.consumers = 3
            }
            stale = row.staleEvents ?? 0
        }
        #expect(stale > 0)
    }

    /// Producers end although their table is full and nobody will ever make room.
    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling))
    func aFullTableDoesNotKeepProducersWhenAllIsOver() throws {
        _ = try DescriptorLimit.raise()
        try withOwnDescriptorTable {
            let table = try TaskTable(
                count: 5, producers: 1, .eventfd, descriptors: Int(DescriptorLimit.current().soft))
            let epoll = try Epoll()
            // A task that nobody will do has a descriptor.
            _ = table.throttle.open.add(1)
            table.tasks.over.value = 1
            let filled = try fillDescriptorTable()
            defer { filled.forEach { try? $0.close() } }
            var count = ProducerCounts(producer: 0)
            try produceDescriptors(table, 0..<5, epoll, .readable, &count)
            #expect(count.waits == 0 && table.throttle.open.value == 1)
        }
    }

    @Test(.enabled(if: AllocationCount.isCounted, "a sanitizer allocates in this build"))
    func aWakeCostsNoAllocation() throws {
        let rings = RingSupport.probe()
        for mode in Mode.all where mode.unsupportedReason(rings: rings) == nil {
            for signal in WakeSignal.allCases {
                for shape in WakeShape.allCases {
                    var plan = RunPlan(.wake, mode: mode)
                    plan.wake.shape = shape
                    plan.wake.signal = signal
                    plan.wake.tasks = 20_000
                    plan.durationNanoseconds = 100_000_000
                    plan.warmupNanoseconds = 10_000_000
                    // On one processor a wake takes a tenth of what it takes across two.
                    let processor = Affinity.available()[0]
                    plan.loop.placement = Placement(workers: [processor], clients: [processor])
                    guard plan.wake.refusal(by: mode) == nil, plan.wake.unsupportedReason(rings: rings) == nil else {
                        continue
                    }
                    let row = try record(plan)
                    #expect(row.status == .ok, "\(mode.name) \(signal) \(shape): \(row.reason)")
                    // Starting and ending threads, with their histograms, takes about a thousand on a busy machine; a
                    // wake that allocated would make one of each of thousands.
                    #expect((row.clientAllocationsPerOp == nil) == (shape == .timer))
                    let made = try #require(row.allocationsPerOp) + (row.clientAllocationsPerOp ?? 0)
                    let most = 1000 + Double(row.operations) / 4
                    #expect(made * Double(row.operations) < most, "\(mode.name) \(signal) \(shape)")
                }
            }
        }
    }

    @Test func aPipeTakesMoreMemoryThanACounter() {
        var wake = WakePlan()
        wake.tasks = 1000
        #expect(wake.liveBytes >= 300 * 1000)
        wake.signal = .pipe
        // A page and the slab memory of both ends.
        #expect(wake.liveBytes >= 6300 * 1000)
    }

    @Test func theStaleEventIsAWarningThatNamesTheMode() throws {
        var measurement = Measurement()
        let plan = RunPlan(.wake, mode: try #require(Mode.named("epoll-lt")))
        #expect(measurement.warning(plan) == nil)
        measurement.wake.pool = WakeResults.PoolCounts(staleEvents: 3)
        #expect(measurement.warning(plan)?.contains("epoll-lt") == true)
        #expect(measurement.warning(plan)?.contains("unsafe") == true)
    }

    @Test func whatWasLostOrDoneTwiceIsCounted() throws {
        let table = try TaskTable(count: 5, producers: 1, .eventfd, descriptors: 0)
        _ = table.tasks.doneCounts[1].add(1)
        _ = table.tasks.doneCounts[2].add(2)
        _ = table.tasks.doneCounts[4].add(1)
        let mistakes = table.mistakes()
        #expect(mistakes.lost == 2 && mistakes.doneTwice == 1)
    }

    @Test func aPauseOfAllConsumersIsSeen() throws {
        let table = try TaskTable(count: 4, producers: 1, .eventfd, descriptors: 0)
        for (task, time) in [(0, 9_000_000), (1, 1_500_000), (3, 2_000_000)] as [(Int, UInt64)] {
            _ = table.tasks.doneCounts[task].add(1)
            table.tasks.handedAt[task].relaxed = time
        }
        // One that was not done.
        table.tasks.handedAt[2].relaxed = 5_000_000
        var timeline = CompletionTimeline()
        timeline.begin(RunWindow(loadStart: 0, start: 1_000_000, end: 10_000_000, deadline: .max))
        table.forEachEnd { timeline.note(unordered: $0) }
        let pause = CompletionTimeline.longestPause(of: [timeline], from: 1_000_000, to: 10_000_000)
        #expect(pause == 7_000_000)
    }

    @Test(arguments: [false, true])
    func everyPoolIsWatchedForPauses(_ isLive: Bool) throws {
        var plan = RunPlan(.wake, mode: try #require(Mode.named("epoll-et")))
        plan.wake.shape = .pool
        plan.wake.tasks = 500
        plan.wake.descriptors = .perTask
        plan.wake.live = isLive
        plan.loop.topology = .sharedSet
        let row = try record(plan)
        let stall = try #require(row.stallMaxNs, "\(row.reason)")
        #expect(stall > 0 && Double(stall) <= (row.durationS ?? 0) * 1e9)
    }

    /// Its client signals before the window only, so the whole window is a pause.
    @Test func aPingPongThatEndsBeforeTheWindowDoesIsPaused() throws {
        let meters = WorkerMeters(count: 1)
        meters.setWindow(start: 1_000, end: 9_000)
        let state = PingPongState()
        defer { withExtendedLifetime((meters, state)) {} }
        let side = PingPongSide(state, meters[0], loadEnd: 9_000)
        #expect(side.pauseAtEnd == 8_000)
        side.mine.relaxed = 4_000
        #expect(side.pauseAtEnd == 5_000)
        side.mine.relaxed = 9_500
        #expect(side.pauseAtEnd == 0)
    }

    @Test func everyTaskHasOneProducer() throws {
        for (tasks, producers) in [(1, 1), (10, 3), (7, 7), (1000, 13)] {
            let table = try TaskTable(count: tasks, producers: producers, .eventfd, descriptors: 0)
            let dealt = (0..<producers).flatMap { Array(table.share(of: $0, among: producers)) }
            #expect(dealt == Array(0..<tasks))
        }
    }

    @Test(arguments: [1, 2, 1500, 2047, 2048, 2049, 123_456, 98_765_432, LatencyBuckets.longestNanoseconds, UInt64.max])
    func bucketsKeepThreeDigits(_ value: UInt64) throws {
        let buckets = LatencyBuckets()
        buckets.record(nanoseconds: value)
        let recorder = buckets.recorder
        #expect(recorder.histogram.totalCount + recorder.outOfRange == 1)
        guard recorder.outOfRange == 0 else { return }
        let kept = Double(recorder.histogram.maxRecorded)
        let expected = Double(min(value, LatencyBuckets.longestNanoseconds))
        #expect(abs(kept - expected) <= expected / 1000)
    }
}
