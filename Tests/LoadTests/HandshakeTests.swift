import Foundation
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import Load
@testable import Meters

/// Handshakes that do not end, and runs that end before them.
@Suite(.enabled(if: TLSServer.isPossible && TLSContext.refusal == nil)) struct HandshakeTests {
    private let files: TLSServer
    /// What starts at 5 is not measured, what starts at 15 is.
    private let window = RunWindow(loadStart: 0, start: 10, end: 20, loadEnd: 1 << 62, deadline: .max)

    init() throws { files = try TLSServer() }

    private func daemon(_ deed: String) throws -> Daemon {
        try Daemon { files.command(deed, "\($0)/socket") }
    }

    private func secure(_ workload: Workload, name: String? = nil, depth: Int = 1) throws -> LoadPlan {
        var plan = plan(workload, try .http(host: "test"), connections: 2, depth: depth)
        plan.tls = try TLSContext(name: name)
        return plan
    }

    private func client(_ plan: LoadPlan, _ address: SocketAddress) throws -> ConnectionClient<HTTPFormat> {
        try ConnectionClient(HTTPFormat(plan.conversation, seed: 1), plan, to: address, capacity: 2)
    }

    @Test func eachStalledExchangeFailsFromItsOwnStart() throws {
        let daemon = try daemon("stall")
        var client = try client(try secure(.crr), daemon.address)
        client.begin(window)
        for time: UInt64 in [5, 15] { #expect(try client.start(at: time)) }
        client.failStalledHandshakes()
        let (result, outstanding) = (client.result, client.outstanding)
        #expect(result.failures.text == "2 × SSL_connect: no answer")
        #expect(result.failedInWindow == 1 && outstanding == 0)
    }

    @Test func eachRequestOfAStalledStreamFailsFromItsOwnStart() throws {
        let daemon = try daemon("stalllater")
        let plan = try secure(.read, depth: 2)
        var client = try StreamClient(
            HTTPFormat(plan.conversation, seed: 1), plan, to: daemon.address, connections: 1, idle: 0, seed: 1)
        client.result.begin(window)
        client.disconnect(0)
        for time: UInt64 in [5, 15] { client.queue(0, startedAt: time) }
        client.reconnect(0, monotonicNanoseconds())
        client.failStalledHandshakes()
        let (result, outstanding) = (client.result, client.outstanding)
        #expect(result.failures.text == "2 × SSL_connect: no answer")
        #expect(result.failedInWindow == 1 && outstanding == 0)
    }

    /// Without a connection there is no handshake that could stand still.
    @Test func aConnectionThatIsNotMadeIsNoStalledHandshake() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try socket.bind(to: .loopback())
        let listener = try socket.listen(backlog: 0)
        let address = try listener.address
        let first = try StreamSocket(for: address, .blocking).connect(to: address)
        var client = try client(try secure(.crr), address)
        client.begin(window)
        #expect(try client.start(at: 15))
        client.failStalledHandshakes()
        let (failures, outstanding) = (client.result.failures, client.outstanding)
        #expect(failures.total == 0 && outstanding == 1, "\(failures.text)")
        _ = consume first
    }

    /// What failed before one run is not told of the next one.
    @Test func aReasonBelongsToItsRun() throws {
        let plan = try secure(.read)
        let daemon = try daemon("plain")
        let first = try ClientTeam(plan, to: daemon.address, .unpinned, seed: 1)
        #expect(first.error?.rawValue == EPROTO && first.cause?.description == "SSL_connect: wrong version number")
        let second = try ClientTeam(plan, to: try loopbackListener().address, .unpinned, seed: 1)
        #expect(second.error == .connectionRefused && second.cause == nil)
    }

    @Test func beginningHandshakesAreGivenUp() throws {
        let start = ClientStart()
        start.giveUp()
        var pair: [CInt] = [-1, -1]
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair) == 0)
        defer { for descriptor in pair { close(descriptor) } }
        let sessions = TLSSessions(try TLSContext(), capacity: 1)
        #expect(throws: Errno.canceled) { try sessions.connect([pair[0]], start) }
        var byte: UInt8 = 0
        #expect(recv(pair[1], &byte, 1, CInt(MSG_DONTWAIT)) == -1 && errno == EAGAIN)
        let daemon = try daemon("stall")
        var client = try client(try secure(.crr), daemon.address)
        var error: Errno?
        do throws(Errno) { try client.queue(start) } catch let failure { error = failure }
        let outstanding = client.outstanding
        #expect(error == .canceled && outstanding == 0)
    }

    /// Operations that end as they begin leave no pause in which a client would look.
    @Test func aRunWhoseOperationsFailAtOnceIsGivenUp() throws {
        let daemon = try daemon("reply")
        let plan = try secure(.crr, name: "")
        let (start, abandonment) = (ClientStart(), Abandonment())
        let now = monotonicNanoseconds()
        abandonment.request()
        start.begin(RunWindow(loadStart: now, start: now, end: now + 5_000_000_000, deadline: .max), abandonment)
        let result = try client(plan, daemon.address).run(plan, client: 0, seed: 1, start)
        #expect(result.failures.total == 0 && result.lost == 0, "\(result.failures.text)")
    }
}
