import Testing

@testable import Load
@testable import Meters

/// The parts of a load are the whole, however many hosts there are.
@Suite struct LoadPartTests {
    private let window = RunWindow(loadStart: 1_000, start: 2_000, end: 11_000, deadline: 20_000)

    private func plan(_ rank: Int, of hosts: Int, clients: Int, rate: Double = 1e6) -> LoadPlan {
        var plan = LoadPlan(.read)
        plan.clients = clients
        plan.pace = .openLoop(perSecond: rate)
        plan.part = LoadPart(rank: rank, of: hosts)
        return plan
    }

    private func starts(_ plan: LoadPlan, _ client: Int) -> [UInt64] {
        var arrivals = Arrivals(plan, client: client, seed: 1, window)
        var starts: [UInt64] = []
        while let start = arrivals.next(now: .max - 1) { starts.append(start) }
        return starts
    }

    @Test(arguments: 1...5, 1...3) func connectionsAddUp(_ hosts: Int, _ clients: Int) {
        for total in [1, 7, 64, 1000] {
            let shares = (0..<hosts).map { plan($0, of: hosts, clients: clients).share(of: total) }
            #expect(shares.reduce(0, +) == total)
            #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= clients)
        }
    }

    @Test(arguments: [1e6, 777_777, 3e5]) func theScheduleOfAllHostsIsThatOfOne(_ rate: Double) {
        let parts = (0..<3).map { rank in
            let plan = plan(rank, of: 3, clients: 2, rate: rate)
            return (0..<2).flatMap { starts(plan, $0) }.sorted()
        }
        let whole = (0..<6).flatMap { starts(plan(0, of: 1, clients: 6, rate: rate), $0) }.sorted()
        #expect(parts.flatMap { $0 }.sorted() == whole)
        // No host fires with another, and each begins one turn after the one before it.
        #expect(Set(whole).count == whole.count)
        #expect(parts.map(\.first) == (0..<3).map { 1_000 + UInt64(Double($0) * 1e9 / rate) })
        #expect((parts.map(\.count).max() ?? 0) - (parts.map(\.count).min() ?? 0) <= 2)
    }

    @Test func whatIsDueAddsUpOfPoissonArrivalsToo() {
        let due = (0..<3).map { rank in
            var plan = plan(rank, of: 3, clients: 1)
            plan.spacing = .poisson
            var arrivals = Arrivals(plan, client: 0, seed: 1, window)
            return arrivals.countDue() ?? 0
        }
        #expect(due.allSatisfy { $0 > 0 } && Set(due.map { "\($0)" }).count >= 1)
        let one = (0..<3).map { client in
            var plan = plan(0, of: 1, clients: 3)
            plan.spacing = .poisson
            var arrivals = Arrivals(plan, client: client, seed: 1, window)
            return arrivals.countDue() ?? 0
        }
        #expect(due == one)
    }

    @Test func connectsTakeTurnsToo() {
        var second = plan(1, of: 2, clients: 1)
        second.connectionsPerSecond = 1000
        var pace = ConnectPace(second, client: 0)
        pace.begin(at: 1_000_000)
        #expect(pace.take(0) == 2_000_000)
        #expect(pace.take(0) == 4_000_000)
    }
}
