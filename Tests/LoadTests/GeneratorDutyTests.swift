import Histogram
import LinuxSockets
import SystemPackage
import Testing

@testable import Load
@testable import Meters

/// What a load generator tells of itself.
@Suite struct GeneratorDutyTests {
    private func results(_ plan: LoadPlan, to address: SocketAddress, milliseconds: UInt64) throws -> ClientResult {
        let team = try ClientTeam(plan, to: address, .unpinned, seed: 1)
        team.waitUntilReady()
        team.begin(.soon(warmupNanoseconds: 0, durationNanoseconds: milliseconds * 1_000_000))
        let results = try team.join().map { try $0.get() }
        return try #require(results.first)
    }

    private func bytesServer() throws -> ScriptedServer {
        try ScriptedServer { peer in while !peer.receive(1).isEmpty { peer.send([7]) } }
    }

    @Test func anOpenLoopTellsItsLag() throws {
        let server = try bytesServer()
        var plan = plan(.read, try .bytes(request: [1], end: .count(1)))
        plan.pace = .openLoop(perSecond: 200)
        let result = try results(plan, to: server.address, milliseconds: 500)
        #expect(result.due == 100 && result.openConnections == 1 && result.reconnections == 0)
        // What could not start in time is lost, and lags nothing.
        #expect(result.sendLag.histogram.totalCount + result.sendLag.outOfRange + result.lost >= 100)
        #expect(result.latencies.histogram.totalCount <= 100 && result.failures.total == 0)
        #expect(result.completedInWindow <= 100)
    }

    @Test func lateStartsAreNoted() {
        var result = ClientResult()
        result.begin(RunWindow(loadStart: 0, start: 1_000, end: 2_000, deadline: 3_000))
        // The warm-up's and what comes behind the window are not measured.
        for (scheduled, start) in [(999, 5_000), (2_000, 5_000), (1_000, 1_017), (1_999, 2_199), (1_500, 1_400)] {
            result.noteStart(scheduled: UInt64(scheduled), at: UInt64(start))
        }
        let lags = result.sendLag.histogram.recordedValues().map { $0.value }
        #expect(lags == [0, 17, 200] && result.sendLag.histogram.totalCount == 3)
    }

    @Test func aClosedLoopHasNoLag() throws {
        let server = try bytesServer()
        let plan = plan(.read, try .bytes(request: [1], end: .count(1)))
        let result = try results(plan, to: server.address, milliseconds: 500)
        #expect(result.sendLag.histogram.totalCount == 0 && result.due == nil)
        // One operation is in flight: only that at the window's end can be counted by its start alone.
        #expect(result.answers - Int(result.completedInWindow) <= 1 && result.answers >= Int(result.completedInWindow))
        #expect(result.completedInWindow > 0 && result.openConnections == 1)
    }

    @Test func connectionsAreMadeAtThePace() throws {
        let server = try ScriptedServer { _ in }
        var plan = plan(.read, try .bytes(request: [1], end: .count(1)), connections: 5)
        plan.connectionsPerSecond = 100
        let before = monotonicNanoseconds()
        _ = try StreamClient(
            BytesFormat(plan.conversation, seed: 1), plan, to: server.address, connections: 5, idle: 0, seed: 1)
        #expect(monotonicNanoseconds() - before >= 40_000_000)
        plan.connectionsPerSecond = 0.0001
        let team = try ClientTeam(plan, to: server.address, .unpinned, seed: 1)
        team.giveUp()
        #expect(team.error == .canceled)
    }

    @Test func exchangesStartAtThePace() throws {
        let server = try ScriptedServer { peer in if !peer.receive(1).isEmpty { peer.send([7]) } }
        var plan = plan(.crr, try .bytes(request: [1], end: .count(1)), connections: 4)
        plan.connectionsPerSecond = 200
        let before = monotonicNanoseconds()
        let result = try exchangeResult(
            BytesFormat(plan.conversation, seed: 1), plan, to: server.address, operations: 9)
        #expect(result.answers == 9 && result.failures.total == 0)
        #expect(monotonicNanoseconds() - before >= 40_000_000)
    }
}
