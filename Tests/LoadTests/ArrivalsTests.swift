import Testing

@testable import Load
@testable import Meters

@Suite struct ArrivalsTests {
    private let window = RunWindow(loadStart: 1_000, start: 2_000, end: 11_000, deadline: 20_000)

    private func arrivals(rate: Double, clients: Int = 1, client: Int = 0) -> Arrivals {
        var plan = LoadPlan(.accept)
        plan.pace = .openLoop(perSecond: rate)
        plan.clients = clients
        return Arrivals(plan, client: client, seed: 1, window)
    }

    private func allStarts(_ arrivals: Arrivals) -> [UInt64] {
        var arrivals = arrivals
        var starts: [UInt64] = []
        while let start = arrivals.next(now: .max - 1) { starts.append(start) }
        return starts
    }

    @Test func startsAreEvenlySpacedUpToTheEnd() {
        #expect(allStarts(arrivals(rate: 1e6)) == Array(stride(from: 1_000, to: 11_000, by: 1_000)))
    }

    @Test func clientsTakeTurns() {
        let each = (0..<3).map { allStarts(arrivals(rate: 1e6, clients: 3, client: $0)) }
        #expect(each[1] == [2_000, 5_000, 8_000])
        #expect(each.flatMap { $0 }.sorted() == allStarts(arrivals(rate: 1e6)))
    }

    @Test func nothingStartsBeforeItsTime() {
        var arrivals = arrivals(rate: 1e6)
        #expect(arrivals.next(now: 999) == nil)
        #expect(arrivals.nextStart == 1_000)
        #expect(arrivals.next(now: 1_000) == 1_000)
        #expect(arrivals.next(now: 1_999) == nil)
        #expect(arrivals.nextStart == 2_000)
    }

    @Test func whatIsOverdueKeepsItsScheduledTime() {
        var arrivals = arrivals(rate: 1e6)
        #expect((0..<4).map { _ in arrivals.next(now: 3_500) } == [1_000, 2_000, 3_000, nil])
    }

    @Test func aRateThatDoesNotDivideASecondDoesNotDrift() {
        let starts = allStarts(arrivals(rate: 3e6))
        #expect(starts.count == 30)
        #expect(starts.enumerated().allSatisfy { $1 == 1_000 + UInt64(Double($0) * 1e9 / 3e6) })
    }

    @Test func whatNeverStartedIsCounted() {
        var arrivals = arrivals(rate: 1e6)
        #expect(arrivals.notStarted == 10)
        for _ in 0..<4 { _ = arrivals.next(now: .max - 1) }
        #expect(arrivals.notStarted == 6)
        #expect(!arrivals.isOver(now: .max))
        while arrivals.next(now: .max - 1) != nil {}
        #expect(arrivals.notStarted == 0)
        #expect(arrivals.isOver(now: 0))
        #expect(arrivals.nextStart == .max)
    }

    @Test func aClosedLoopStartsUntilTheEnd() {
        let now = monotonicNanoseconds()
        let open = RunWindow(loadStart: 0, start: 0, end: .max, deadline: .max)
        var plan = LoadPlan(.accept)
        plan.pace = .closedLoop
        var arrivals = Arrivals(plan, client: 0, seed: 1, open)
        #expect(arrivals.next(now: now).map { $0 >= now } == true)
        #expect(!arrivals.isOver(now: now))
        var late = Arrivals(plan, client: 0, seed: 1, window)
        #expect(late.next(now: 0) == nil)
        #expect(late.isOver(now: 11_000) && late.notStarted == 0)
        #expect(Arrivals.none.isOver(now: 0))
    }

    @Test func theLoadOutlastsTheWindow() {
        let window = RunWindow(loadStart: 0, start: 0, end: 10, loadEnd: 1 << 62, deadline: .max)
        var plan = LoadPlan(.accept)
        for load in [LoadPlan.Pace.closedLoop, .openLoop(perSecond: 1e6)] {
            plan.pace = load
            var arrivals = Arrivals(plan, client: 0, seed: 1, window)
            let start = arrivals.next(now: 1000)
            #expect(start != nil && !arrivals.isOver(now: 1000))
            #expect(!window.measures(10))
        }
    }

    @Test(arguments: [(10, 3), (3, 3), (1000, 7), (2, 3), (0, 2)]) func sharesAddUp(total: Int, count: Int) {
        let shares = (0..<count).map { share(total, $0, of: count) }
        #expect(shares.reduce(0, +) == total)
        #expect(shares.max()! - shares.min()! <= 1)
    }
}
