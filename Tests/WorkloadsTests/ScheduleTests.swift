import Testing

@testable import Meters
@testable import Load
@testable import Loops
@testable import Runs
@testable import Servers

@Suite struct ArrivalsTests {
    private let window = RunWindow(loadStart: 1_000, start: 2_000, end: 11_000, deadline: 20_000)

    private func arrivals(rate: Double, clients: Int = 1, client: Int = 0) -> Arrivals {
        var plan = RunPlan(mode: Mode.all[0])
        plan.load.pace = .openLoop(perSecond: rate)
        plan.load.clients = clients
        return Arrivals(plan.load, client: client, seed: 1, window)
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
        var plan = RunPlan(mode: Mode.all[0])
        plan.load.pace = .closedLoop
        var arrivals = Arrivals(plan.load, client: 0, seed: 1, open)
        #expect(arrivals.next(now: now).map { $0 >= now } == true)
        #expect(!arrivals.isOver(now: now))
        var late = Arrivals(plan.load, client: 0, seed: 1, window)
        #expect(late.next(now: 0) == nil)
        #expect(late.isOver(now: 11_000) && late.notStarted == 0)
        #expect(Arrivals.none.isOver(now: 0))
    }

    @Test func theLoadOutlastsTheWindow() {
        let window = RunWindow(loadStart: 0, start: 0, end: 10, loadEnd: 1 << 62, deadline: .max)
        var plan = RunPlan(mode: Mode.all[0])
        for load in [LoadPlan.Pace.closedLoop, .openLoop(perSecond: 1e6)] {
            plan.load.pace = load
            var arrivals = Arrivals(plan.load, client: 0, seed: 1, window)
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

@Suite struct PlacementTests {
    @Test func clientsGetProcessorsOfTheirOwn() {
        func automatic(_ processors: Int, workers: Int, clients: Int) -> Placement {
            .automatic(available: Array(0..<processors), workers: workers, clients: clients)
        }
        #expect(automatic(1, workers: 1, clients: 1) == .unpinned)
        #expect(automatic(2, workers: 1, clients: 1) == Placement(workers: [0], clients: [1]))
        #expect(automatic(2, workers: 8, clients: 8) == Placement(workers: [0], clients: [1]))
        #expect(automatic(4, workers: 2, clients: 1) == Placement(workers: [0, 1], clients: [3]))
        #expect(automatic(4, workers: 1, clients: 4) == Placement(workers: [0], clients: [1, 2, 3]))
        for processors in 2...9 {
            let placement = automatic(processors, workers: 3, clients: 2)
            #expect(Set(placement.workers).isDisjoint(with: placement.clients))
            #expect(!placement.workers.isEmpty && !placement.clients.isEmpty)
        }
    }

    @Test func threadsTakeProcessorsInTurn() {
        let placement = Placement(workers: [4, 5], clients: [7])
        #expect((0..<4).map { placement.processor(ofWorker: $0) } == [4, 5, 4, 5])
        #expect(placement.processor(ofClient: 3) == 7)
        #expect(Placement.unpinned.processor(ofWorker: 0) == nil)
        #expect(placement.description == "server=4,5 client=7")
        #expect(Placement.unpinned.description == "none")
    }

    @Test func pinnedThreadsRunWhereTheyWerePut() throws {
        let processor = try #require(Affinity.available().last)
        let thread = BenchThread("pinned", processor: processor) { Affinity.available() }
        #expect(try thread.join().get() == [processor])
    }
}
