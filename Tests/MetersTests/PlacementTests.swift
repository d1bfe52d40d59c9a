import Testing

@testable import Meters

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
        #expect(Placement(workers: [4], clients: []).description == "server=4")
    }

    @Test func pinnedThreadsRunWhereTheyWerePut() throws {
        let processor = try #require(Affinity.available().last)
        let thread = BenchThread("pinned", processor: processor) { Affinity.available() }
        #expect(try thread.join().get() == [processor])
    }
}
