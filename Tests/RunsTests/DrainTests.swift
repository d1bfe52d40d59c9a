import Histogram
import LinuxSockets
import Records
import RunSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

@Suite(.serialized) struct DrainTests {
    @Test(arguments: Combination.all) func aDrainServesEveryConnectionOnce(_ combination: Combination) throws {
        let measurement = try measure(combination.plan(workers: 3, .drain(90)))
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.perWorker.count == 3)
        #expect(measurement.perWorker.reduce(0, +) == 90)
        #expect(measurement.latencies.totalCount == 90)
        #expect(measurement.failures.total == 0 && measurement.lost == 0)
        #expect(measurement.durationNanoseconds > 0)
    }

    @Test func severalClientsQueueTheirShares() throws {
        let combination = try #require(Combination.named("epoll-lt"))
        var plan = combination.plan(workers: 2, .drain(100))
        plan.load.clients = 3
        let measurement = try measure(plan)
        #expect(measurement.perWorker.reduce(0, +) == 100)
        #expect(measurement.latencies.totalCount == 100)
    }

    @Test func levelTriggeredTakesThreeCallsForAConnection() throws {
        let measurement = try measure(try #require(Combination.named("epoll-lt")).plan(.drain(50)))
        #expect(measurement.totals[.systemCalls] == 150)
        #expect(measurement.totals[.wakeups] == 50)
        #expect(measurement.totals[.emptyCalls] == 0)
    }

    @Test func blockingTakesTwoCallsForAConnection() throws {
        let measurement = try measure(try #require(Combination.named("blocking")).plan(.drain(50)))
        // The worker may be in its next accept4 already when the counters are read.
        #expect(try (100...101).contains(#require(measurement.totals[.systemCalls])))
        #expect(measurement.totals[.wakeups] == 50)
    }

    @Test func edgeTriggeredSavesTheWaitsAndPaysWithOneEmptyCall() throws {
        let measurement = try measure(try #require(Combination.named("epoll-et")).plan(.drain(50)))
        #expect(try (101...102).contains(#require(measurement.totals[.systemCalls])))
        #expect(measurement.totals[.wakeups] == 1)
        #expect(measurement.totals[.spuriousWakeups] == 0)
    }

    @Test(arguments: Rearm.allCases) func oneShotArmsAgainForEachConnection(_ rearm: Rearm) throws {
        var plan = try #require(Combination.named("epoll-oneshot")).plan(.drain(50))
        plan.server.rearm = rearm
        let measurement = try measure(plan)
        // Armed late, the last registration may not have been armed again when the counters are read.
        #expect(try (199...200).contains(#require(measurement.totals[.systemCalls])))
        #expect(measurement.totals[.wakeups] == 50)
    }

    @Test func armedLateOnlyOneWorkerIsBusyAtATime() throws {
        var plan = try #require(Combination.named("epoll-oneshot")).plan(workers: 3, .drain(20))
        plan.server.rearm = .late
        plan.server.service = ServiceTime(distribution: .fixed(2_000_000), work: .sleep)
        let measurement = try measure(plan)
        #expect(measurement.perWorker.reduce(0, +) == 20)
        #expect(measurement.durationNanoseconds >= 40_000_000)
    }

    @Test(arguments: Combination.defaults.filter { $0.implementation == .c })
    func theReferenceMakesTheSameSystemCalls(_ combination: Combination) throws {
        let swift = Combination(
            mode: combination.mode, topology: combination.topology, listener: combination.listener,
            implementation: .swift)
        let count = 200
        let counts: [WorkerCount] = [.systemCalls, .wakeups, .emptyCalls, .submissions, .completions, .rearms]
        let one: [WorkerCount: UInt64] = try measure(swift.plan(.drain(count))).totals
        let other = try measure(combination.plan(.drain(count))).totals
        for which in counts {
            // Whether a call after the last close is in the counters when they are read is a matter of luck.
            let difference = Int(one[which, default: 0]) - Int(other[which, default: 0])
            #expect(abs(difference) <= 2, "\(which): \(one[which] ?? 0) in Swift, \(other[which] ?? 0) in C")
        }
    }

    @Test func aServerListensOnIPv6Too() throws {
        var plan = try #require(Combination.named("epoll-lt")).plan(.drain(10))
        plan.server.address = .loopback6()
        guard (try? tryListening(plan.server, plan.load.traffic)) != nil else {
            return print("skipped: ::1 cannot be listened on here")
        }
        #expect(try measure(plan).perWorker == [10])
    }
}
