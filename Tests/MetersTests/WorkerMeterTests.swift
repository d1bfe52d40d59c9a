import Testing

@testable import Meters

@Suite struct WorkerMeterTests {
    @Test func everyWorkerCountsForItselfWhileOthersRead() {
        let meters = WorkerMeters(count: 4)
        onThreads(4) { index in
            let meter = meters[index]
            var seen: UInt64 = 0
            for _ in 0..<50_000 {
                meter.add(.operations)
                meter.add(.systemCalls, UInt64(index))
                let now = meters[(index + 1) % 4][.operations]
                #expect(now >= seen)
                seen = now
            }
        }
        for index in 0..<4 {
            #expect(meters[index][.operations] == 50_000)
            #expect(meters[index][.systemCalls] == 50_000 * UInt64(index))
            #expect(meters[index][.wakeups] == 0)
        }
    }

    @Test func noTwoWorkersShareACacheLine() {
        let meters = WorkerMeters(count: 3)
        let addresses = (0..<3).map { Int(bitPattern: meters[$0].address) }
        #expect(addresses.allSatisfy { $0 % 128 == 0 })
        #expect(addresses[1] - addresses[0] >= WorkerCount.allCases.count * 8)
        #expect((addresses[1] - addresses[0]) % 128 == 0)
        #expect(addresses[2] - addresses[1] == addresses[1] - addresses[0])
    }

    @Test func theCountersStandWhereTheBlockSays() {
        let meters = WorkerMeters(count: 1)
        for count in WorkerCount.allCases {
            meters[0].set(count, 77)
            #expect(meters[0].address[count.rawValue] == 77)
        }
    }

    @Test func thePeakIsTheMostThatWasOpenAtOnce() {
        let meters = WorkerMeters(count: 1)
        defer { withExtendedLifetime(meters) {} }
        let meter = meters[0]
        for _ in 0..<3 { meter.opened() }
        for _ in 0..<2 { meter.closed() }
        meter.opened()
        #expect(meter[.open] == 2)
        #expect(meter[.openPeak] == 3)
    }

    @Test func anOperationIsNotedOnTheMonotonicClock() {
        let meters = WorkerMeters(count: 1)
        defer { withExtendedLifetime(meters) {} }
        let meter = meters[0]
        let before = monotonicNanoseconds()
        meter.began()
        #expect((before...monotonicNanoseconds()).contains(meter[.waitingSince]))
        meter.startedServing()
        #expect(meter[.waitingSince] == .max)
        meter.resumedWaiting()
        #expect((before...monotonicNanoseconds()).contains(meter[.waitingSince]))
    }
}
