import LinuxSockets
import SystemPackage
import Testing

@testable import Workloads

@Suite(.serialized) struct CloseTests {
    enum Close { case inOrder, reset, notAtAll }

    /// Connects to a server and looks how it closes.
    private func closeSeen(from address: SocketAddress) throws(Errno) -> Close {
        do throws(Errno) {
            let connection = try StreamSocket(for: address, .blocking).connect(to: address)
            var bytes: [UInt8] = [0]
            var span = bytes.mutableSpan
            var raw = span.mutableBytes
            return try connection.receive(into: &raw) == 0 ? .inOrder : .notAtAll
        } catch .connectionReset, .connectionAbort {
            // Of a server that is quick, connect(2) itself sees the reset.
            return .reset
        }
    }

    @Test(arguments: Combination.defaults, RunPlan.CloseStyle.allCases)
    func theClientSeesTheCloseThatWasAskedFor(_ combination: Combination, _ style: RunPlan.CloseStyle) throws {
        var plan = combination.plan(workers: 2)
        plan.close = style
        let server = try AcceptServer(plan)
        server.team.start()
        let seen = try (0..<5).map { _ in try closeSeen(from: server.address) }
        #expect(server.finish() == nil)
        #expect(seen.allSatisfy { $0 == (style == .reset ? .reset : .inOrder) }, "\(seen)")
    }

    @Test func aServerListensOnIPv6Too() throws {
        var plan = try #require(Combination.named("epoll-lt")).plan(.drain(10))
        plan.address = .loopback6()
        guard (try? checkAddress(plan)) != nil else { return print("skipped: ::1 cannot be listened on here") }
        #expect(try measure(plan).perWorker == [10])
    }
}
