import Foundation
import LinuxSockets
import Records
import RunSupport
import TestSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Connections that begin with their request, and are accepted then.
@Suite(.serialized) struct ConnectionBeginningTests {
    private static func plan(deferring: Bool, fast: Bool) throws -> RunPlan {
        var plan = RunPlan(.crr, mode: try #require(Mode.named("epoll-lt")))
        plan.server.defersAccept = deferring
        plan.server.opensFast = fast
        plan.load.opensFast = fast
        plan.load.connections = 8
        plan.warmupNanoseconds = 0
        plan.durationNanoseconds = 50_000_000
        return plan
    }

    @Test func theRowSaysHowTheyBegin() throws {
        #expect(RunRecord(try Self.plan(deferring: false, fast: false)).options == "")
        #expect(RunRecord(try Self.plan(deferring: true, fast: false)).options == "defer-accept")
        #expect(RunRecord(try Self.plan(deferring: true, fast: true)).options == "defer-accept;fast-open")
    }

    @Test func deferredConnectionsAreAnswered() throws {
        let measurement = try measure(try Self.plan(deferring: true, fast: false))
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.failures.total == 0)
    }

    /// A thread's namespace is that of the threads which it starts.
    @Test(arguments: [FastOpenSupport.client, [.client, .server]])
    func requestsGoWithTheSYNWhereServersMay(_ allowed: FastOpenSupport) throws {
        let seen = try onOwnThread { () -> (status: Status, early: Int, operations: Int)? in
            guard try enterNetworkNamespace(fastOpen: allowed) else { return nil }
            let measurement = try measure(try Self.plan(deferring: true, fast: true))
            return (measurement.status, try Self.earlyConnections(), Int(measurement.perWorker.reduce(0, +)))
        }
        guard let seen else { return print("skipped: net.ipv4.tcp_fastopen cannot be set in a namespace here") }
        #expect(seen.status == .ok)
        // All but the first, which bring the cookie.
        #expect(allowed.contains(.server) ? seen.early > seen.operations / 2 : seen.early == 0)
    }

    /// How many connections of the thread's namespace began with data that was taken.
    private static func earlyConnections() throws -> Int {
        let text = try String(contentsOfFile: "/proc/thread-self/net/netstat", encoding: .utf8)
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("TcpExt:") }.map { $0.split(separator: " ") }
        try #require(lines.count == 2)
        let index = try #require(lines[0].firstIndex(of: "TCPFastOpenPassive"))
        return try #require(Int(lines[1][index]))
    }
}
