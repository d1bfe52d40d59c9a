import Histogram
import Records
import RunSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Whole runs of the two echo workloads, short ones.
@Suite(.serialized) struct EchoRunTests {
    /// Every mode with every topology that it has.
    static let combinations = Combination.echoing
    static let reading = combinations.filter { $0.mode.serves(.read) }

    private func plan(
        _ workload: Workload, _ combination: Combination, workers: Int = 2, _ rearm: Rearm = .late
    ) -> RunPlan {
        var plan = RunPlan(workload, mode: combination.mode)
        plan.loop.topology = combination.topology
        plan.loop.implementation = combination.implementation
        plan.server.rearm = rearm
        plan.server.workers = workers
        plan.load.connections = 16
        plan.warmupNanoseconds = 0
        plan.durationNanoseconds = 50_000_000
        return plan
    }

    private func expectGood(_ measurement: Measurement) {
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.perWorker.reduce(0, +) > 0)
        #expect(measurement.latencies.totalCount > 0)
        #expect(measurement.failures.total == 0 && measurement.lost == 0)
        #expect(measurement.totals[.errors] == 0)
    }

    @Test(arguments: combinations, [Workload.crr, .read])
    func everyMessageComesBack(_ combination: Combination, _ workload: Workload) throws {
        guard combination.mode.serves(workload) else { return }
        let measurement = try measure(plan(workload, combination))
        expectGood(measurement)
        // A client that has its reply can be back before the server has closed.
        #expect((1...32).contains(measurement.openPeak))
    }

    /// More workers than processors and a service time, so that workers are behind with what they were told.
    @Test(arguments: combinations.filter { $0.topology == .sharedSet }, [Workload.crr, .read])
    func aSharedSetLosesNothing(_ combination: Combination, _ workload: Workload) throws {
        var plan = plan(workload, combination, workers: 8)
        plan.load.connections = 200
        plan.server.service = ServiceTime(distribution: .exponential(mean: 20_000), work: .sleep)
        plan.durationNanoseconds = 200_000_000
        let measurement = try measure(plan)
        expectGood(measurement)
        #expect((1...400).contains(measurement.openPeak))
    }

    @Test(arguments: Topology.allCases, [Workload.crr, .read])
    func aOneShotConnectionArmedEarlyLosesNothing(_ topology: Topology, _ workload: Workload) throws {
        let combination = try #require(
            Self.combinations.first { $0.mode.name == "epoll-oneshot" && $0.topology == topology })
        var plan = plan(workload, combination, workers: 4, .early)
        plan.server.service = ServiceTime(distribution: .fixed(20_000), work: .sleep)
        expectGood(try measure(plan))
    }

    @Test func onlyALateOneShotKeepsItsConnectionsApart() throws {
        let combination = try #require(Self.combinations.first { $0.mode.name == "epoll-oneshot" })
        func outOfOrder(_ rearm: Rearm) throws -> UInt64 {
            var plan = plan(.read, combination, workers: 4, rearm)
            plan.load.connections = 2
            plan.load.depth = 8
            // Of a closed loop all messages of a connection travel together, so nothing could overtake.
            plan.load.pace = .openLoop(perSecond: 10_000)
            plan.server.service = ServiceTime(distribution: .exponential(mean: 50_000), work: .sleep)
            return try #require(try measure(plan).totals[.outOfOrder])
        }
        #expect(try outOfOrder(.late) == 0)
        // Whether two workers meet in one connection is up to the scheduler: not in every window, and in one of many.
        #expect(try (0..<50).contains { _ in try outOfOrder(.early) > 0 })
    }

    // A poller needs no call to hand something over.
    @Test(arguments: reading.filter { $0.mode.capabilities.usesRing && $0.mode.options.poller == nil })
    func aBusyRingHandsOverEachReplyAtOnce(_ combination: Combination) throws {
        var plan = plan(.read, combination, workers: 1)
        plan.server.service = ServiceTime(distribution: .fixed(10_000), work: .busy)
        // One call would serve most of the 16 connections if replies waited for each other. The counts are read one after
        // the other, so whoever reads them can be kept from it for longer than any bound: then it is measured again.
        let handsOver = try (0..<20).contains { _ in
            let measurement = try measure(plan)
            expectGood(measurement)
            return try #require(measurement.totals[.systemCalls]) * 2 > measurement.perWorker[0]
        }
        #expect(handsOver)
    }

    /// Connections that send many messages at once: what one completion of a receive brings.
    @Test func aBundleBringsManyMessages() throws {
        for name in ["uring-bundle", "uring-incremental", "uring-bundle-incremental"] {
            guard let combination = Self.combinations.first(where: { $0.mode.name == name }) else {
                print("skipped: this kernel has no \(name)")
                continue
            }
            var plan = plan(.read, combination)
            plan.load.depth = 16
            let measurement = try measure(plan)
            expectGood(measurement)
            #expect(measurement.totals[.outOfOrder] == 0)
            var row = RunRecord(plan)
            measurement.fill(&row, plan)
            let (bytes, messages) = (try #require(row.bytesPerReceive), try #require(row.messagesPerReceive))
            // A message has 64 bytes; all of them come at once, if the kernel likes.
            #expect(messages > 1 && bytes > 64, "\(name)")
        }
    }

    @Test(arguments: reading.filter { $0.topology == .setPerWorker || $0.mode.capabilities.pollsHoldFiles })
    func aDeepStreamKeepsItsOrderBesideIdleConnections(_ combination: Combination) throws {
        var plan = plan(.read, combination)
        plan.load.depth = 4
        plan.load.idle = 21
        plan.load.clients = 2
        let measurement = try measure(plan)
        expectGood(measurement)
        #expect(plan.load.traffic.ordersMessages)
        #expect(measurement.totals[.outOfOrder] == 0)
    }

    @Test(arguments: Combination.speakingInC)
    func theReferenceEchoesToo(_ combination: Combination) throws {
        expectGood(try measure(plan(.read, combination)))
    }

    @Test(arguments: reading.filter { $0.topology == $0.mode.topologies[0] })
    func aLargeMessageComesBackWhole(_ combination: Combination) throws {
        var plan = RunPlan(.read, mode: combination.mode)
        plan.load.connections = 3
        plan.load.messageBytes = 300_000
        plan.load.depth = 2
        plan.warmupNanoseconds = 0
        plan.durationNanoseconds = 100_000_000
        let measurement = try measure(plan)
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.failures.total == 0)
        #expect(measurement.totals[.errors] == 0)
    }
}
