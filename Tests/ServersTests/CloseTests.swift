import LinuxSockets
import RunSupport
import SystemPackage
import Testing

@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

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

    @Test(arguments: Combination.defaults, CloseStyle.allCases)
    func theClientSeesTheCloseThatWasAskedFor(_ combination: Combination, _ style: CloseStyle) throws {
        let plan = combination.plan(workers: 2).server
        let server = try LocalServer(plan, expecting: Traffic(.accept, connections: 64, close: style))
        #expect(try server.prepare(unless: []))
        server.begin(.never)
        let seen = try (0..<5).map { _ in try closeSeen(from: server.address) }
        #expect(server.end(windowEnd: 0).error == nil)
        #expect(seen.allSatisfy { $0 == (style == .reset ? .reset : .inOrder) }, "\(seen)")
    }
}
