import Glibc
import Histogram
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import Testing

@testable import Load
@testable import Meters

/// Clients of servers that answer wrongly: every answer is an error and none a latency.
@Suite struct WrongEchoTests {
    /// What a server does with the 64 bytes that it got.
    enum Fault: CaseIterable { case lastByteFlipped, numberWrong, closes }

    /// Answers every message of as many connections as come, one after the other, until the listener is shut down.
    private static func serve(_ listener: CInt, _ fault: Fault) {
        var bytes = [UInt8](repeating: 0, count: 64)
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            while recv(connection, &bytes, 64, CInt(MSG_WAITALL)) == 64 {
                switch fault {
                case .lastByteFlipped: bytes[63] ^= 1
                case .numberWrong: bytes[0] ^= 1
                case .closes: shutdown(connection, CInt(SHUT_RDWR))
                }
                guard send(connection, bytes, 64, CInt(MSG_NOSIGNAL)) == 64 else { break }
            }
            close(connection)
        }
    }

    /// Runs a client against a server with a fault.
    private func result(
        _ workload: Workload, _ fault: Fault,
        _ client: @escaping @Sendable (LoadPlan, SocketAddress, RunWindow) throws(Errno) -> ClientResult
    ) throws -> ClientResult {
        var plan = LoadPlan(workload)
        plan.connections = 1
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try socket.bind(to: .loopback())
        let listener = try socket.listen(backlog: 16)
        let number = listener.descriptor.rawValue
        let server = BenchThread("server", processor: nil) { () throws(Errno) in Self.serve(number, fault) }
        // An answer calls for no further message.
        let window = RunWindow(loadStart: 0, start: 0, end: .max, loadEnd: 0, deadline: .max)
        let result = try client(plan, try listener.address, window)
        try listener.stopAccepting()
        _ = server.join()
        return result
    }

    private static func aLittleLater() -> UInt64 { monotonicNanoseconds() + 1_000_000_000 }

    private func expectErrorsOnly(_ result: ClientResult) {
        #expect(result.failures.total == 1 && result.failedInWindow == 1)
        #expect(result.latencies.histogram.totalCount == 0)
    }

    @Test(arguments: Fault.allCases) func aReadClientChecksEveryByte(_ fault: Fault) throws {
        expectErrorsOnly(
            try result(.read, fault) { (plan, address, window) throws(Errno) in
                var client = try StreamClient(EchoFormat(plan), plan, to: address, connections: 1, idle: 0, seed: 1)
                client.begin(window)
                while client.outstanding > 0 { try client.awaitAnswers(until: Self.aLittleLater()) }
                return client.result
            })
    }

    @Test(arguments: Fault.allCases) func aCrrClientChecksEveryByte(_ fault: Fault) throws {
        expectErrorsOnly(
            try result(.crr, fault) { (plan, address, window) throws(Errno) in
                var client = try ConnectionClient(EchoFormat(plan), plan, to: address, capacity: 1)
                client.begin(window)
                _ = try client.start(at: 0)
                while client.outstanding > 0 { try client.awaitAnswers(until: Self.aLittleLater()) }
                return client.result
            })
    }
}
