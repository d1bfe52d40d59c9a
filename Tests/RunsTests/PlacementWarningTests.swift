import Load
import Loops
import Runs
import Servers
import Testing

@testable import Meters

@Suite struct PlacementWarningTests {
    /// Four cores of two hardware threads each, on two nodes: 0 and 4 share a core, 2 and 3 are on the second node.
    private var topology: ProcessorTopology {
        var topology = ProcessorTopology()
        for processor in 0..<8 {
            topology.siblings[processor] = [processor % 4, processor % 4 + 4]
            topology.nodes[processor] = processor % 4 / 2
        }
        return topology
    }

    private func warnings(
        _ workers: [Int], _ clients: [Int], available: [Int] = Array(0..<8), workload: Workload = .accept
    ) -> [String] {
        var plan = RunPlan(workload, mode: Mode.named("lt")!)
        plan.loop.placement = Placement(workers: workers, clients: clients)
        if workload != .wake {
            (plan.server.workers, plan.load.clients) = (max(workers.count, 1), max(clients.count, 1))
        }
        return plan.placementWarnings(topology, available: available).map(\.text)
    }

    @Test func whatMovesTheNumbersIsSaid() {
        #expect(warnings([0], [1]) == [])
        #expect(warnings([0], [0]) == ["server and client share processor 0"])
        #expect(warnings([0, 4], [1]) == ["workers run on hardware threads of one core (processors 0, 4)"])
        #expect(warnings([0], [4]) == ["server and client run on hardware threads of one core (processors 0, 4)"])
        #expect(warnings([0], [1, 5]) == ["clients run on hardware threads of one core (processors 1, 5)"])
        #expect(warnings([0], [2]) == ["the threads run on memory nodes 0, 1"])
        #expect(warnings([0, 2], [6]).count == 2)
    }

    @Test func withoutPinsWhatThereIsToChooseFromCounts() {
        #expect(
            warnings([], []) == [
                "server and client run on hardware threads of one core (processors 0-7)",
                "the threads run on memory nodes 0, 1",
            ])
        #expect(
            warnings([], [], available: [1, 5]) == [
                "server and client run on hardware threads of one core (processors 1, 5)"
            ])
        #expect(warnings([], [], available: [0, 2]) == ["the threads run on memory nodes 0, 1"])
        #expect(warnings([], [], available: [0, 1]) == [])
        #expect(warnings([], [], available: [3]) == ["server and client share processor 3"])
    }

    @Test func aPingPongOnOneProcessorIsMeant() {
        #expect(warnings([0], [0], workload: .wake) == [])
    }

    @Test func aTimerHasOneThread() {
        var plan = RunPlan(.wake, mode: Mode.named("lt")!)
        (plan.wake.shape, plan.wake.signal) = (.timer, .timerfd)
        #expect(plan.placementWarnings(topology, available: [3]) == [])
        plan.loop.placement = .automatic(available: [2, 6], workers: plan.workerThreads, clients: plan.clients)
        #expect(plan.loop.placement == Placement(workers: [2], clients: []))
        #expect(plan.placementWarnings(topology, available: [2, 6]) == [])
    }

    @Test func nothingFollowsFromAnUnknownMachine() {
        var plan = RunPlan(mode: Mode.named("lt")!)
        plan.loop.placement = Placement(workers: [0], clients: [1])
        #expect(plan.placementWarnings(ProcessorTopology(), available: [0, 1]) == [])
    }
}
