import Testing

@testable import Meters

/// The window of all these is from 100 to 1000.
@Suite struct StarvationTests {
    private let meters: WorkerMeters

    init() {
        meters = WorkerMeters(count: 2)
        meters.setWindow(start: 100, end: 1000)
    }

    /// The second worker finished an operation at a time.
    private func otherServed(at time: UInt64) { meters[1].set(.waitingSince, time) }

    @Test func aWorkerThatNeverGotOneStarvedForTheWholeWindow() {
        otherServed(at: 500)
        #expect(meters.starvation(of: 0, windowEnd: 1000) == 900)
    }

    @Test func nobodyStarvesWhereNobodyGotAnything() {
        #expect(meters.starvation(of: 0, windowEnd: 1000) == 0)
        #expect(meters.starvation(of: 1, windowEnd: 1000) == 0)
    }

    @Test func aWorkerAloneCannotStarve() {
        let alone = WorkerMeters(count: 1)
        alone.setWindow(start: 100, end: 1000)
        alone[0].set(.waitingSince, 300)
        alone[0].noteWait(until: 900)
        #expect(alone.starvation(of: 0, windowEnd: 1000) == 0)
    }

    @Test func waitingIsClippedToTheWindow() {
        meters[0].set(.waitingSince, 50)
        otherServed(at: 200)
        meters[0].noteWait(until: 300)
        #expect(meters[0][.starvation] == 200)
        meters[0].noteWait(until: 5000)
        #expect(meters[0][.starvation] == 900)
    }

    @Test func anOperationOfAnotherBeforeTheWaitDoesNotCount() {
        otherServed(at: 150)
        meters[0].set(.waitingSince, 200)
        meters[0].noteWait(until: 400)
        #expect(meters[0][.starvation] == 0)
    }

    @Test func theLongestWaitIsKept() {
        otherServed(at: 400)
        meters[0].set(.waitingSince, 300)
        meters[0].noteWait(until: 500)
        meters[0].set(.waitingSince, 500)
        otherServed(at: 550)
        meters[0].noteWait(until: 600)
        #expect(meters[0][.starvation] == 200)
    }

    @Test func theTimeUpToTheEndCounts() {
        meters[0].set(.waitingSince, 200)
        otherServed(at: 950)
        #expect(meters.starvation(of: 0, windowEnd: 1000) == 800)
        #expect(meters.starvation(of: 1, windowEnd: 1000) == 0)
    }

    @Test func aWindowCutShortEndsTheWaitEarlier() {
        otherServed(at: 500)
        #expect(meters.starvation(of: 0, windowEnd: 600) == 500)
    }

    @Test func aWorkerBusyAtTheEndDoesNotStarve() {
        otherServed(at: 500)
        meters[0].set(.waitingSince, 200)
        meters[0].startedServing()
        #expect(meters.starvation(of: 0, windowEnd: 1000) == 0)
    }

    @Test func nothingIsNotedBeforeTheWindowIsKnown() {
        let early = WorkerMeters(count: 2)
        early[1].set(.waitingSince, 50)
        early[0].noteWait(until: 80)
        #expect(early[0][.starvation] == 0)
    }
}
