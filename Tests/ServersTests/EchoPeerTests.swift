import Glibc
import LinuxDescriptors
import LinuxSockets
import Records
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Peers that do not behave: the run goes on, what was lost is counted, and everybody else is served.
@Suite struct EchoPeerTests {
    static let modes = Mode.every.filter {
        $0.serves(.read) && $0.capabilities.wires.contains(.echo)
            && $0.unsupportedReason(rings: RingSupport.probe(), for: .read) == nil
    }
    .map(\.name)

    /// A server with its workers running, and raw client sockets.
    final class Fixture {
        let server: LocalServer
        let clients: [CInt]
        let message = MessagePattern(bytes: 64)

        init(_ mode: String, clients count: Int) throws {
            let plan = ServerPlan(.read, mode: try #require(Mode.named(mode)))
            server = try LocalServer(plan, expecting: Traffic(.read, connections: count, depth: 4))
            clients = try (0..<count).map { [address = server.address] _ in
                let connection = try StreamSocket(for: address, .blocking).connect(to: address)
                try setSocketOption(.noDelay, on: connection.descriptor)
                let number = connection.release().release().rawValue
                // A server that forgets a connection fails the test instead of stopping it.
                var limit = timeval(tv_sec: 20, tv_usec: 0)
                setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                return number
            }
            #expect(try server.prepare(unless: []))
            server.begin(.never)
        }

        func send(_ client: Int, _ sequence: UInt64, bytes: Range<Int> = 0..<64) {
            var buffer = [UInt8](repeating: 0, count: 64)
            buffer.withUnsafeMutableBytes { message.write(sequence, to: $0.baseAddress!) }
            let sent = buffer.withUnsafeBytes {
                Glibc.send(clients[client], $0.baseAddress! + bytes.lowerBound, bytes.count, 0)
            }
            #expect(sent == bytes.count)
        }

        /// Reads one message and checks every byte of it.
        func expectEcho(_ client: Int, _ sequence: UInt64) {
            var buffer = [UInt8](repeating: 0, count: 64)
            #expect(receiveWhole(&buffer, from: clients[client]) == 64)
            #expect(buffer.withUnsafeBytes { message.matches(sequence, $0.baseAddress!) })
        }

        func expectBytes(_ client: Int, _ count: Int) {
            var buffer = [UInt8](repeating: 0, count: count)
            #expect(receiveWhole(&buffer, from: clients[client]) == count)
        }

        func expectEnd(_ client: Int) {
            var byte: UInt8 = 0
            var count = 0
            repeat { count = recv(clients[client], &byte, 1, 0) } while count < 0 && errno == EINTR
            #expect(count == 0)
        }

        func reset(_ client: Int) throws {
            try setSocketOption(.resetOnClose, on: BorrowedDescriptor(rawValue: clients[client]))
            close(clients[client])
        }

        func total(_ count: WorkerCount) -> UInt64 {
            server.snapshot().totals[count, default: 0]
        }

        /// A worker counts after it has answered, so the count may come a moment later.
        func expectEventually(_ count: WorkerCount, _ value: UInt64) {
            for _ in 0..<5000 {
                if total(count) == value { return }
                usleep(1000)
            }
            #expect(total(count) == value)
        }

        func finish(open: [Int]) {
            #expect(server.end(windowEnd: 0).error == nil)
            for client in open { close(clients[client]) }
        }
    }

    @Test(arguments: modes) func aMessageInSingleBytesIsEchoedWhole(mode: String) throws {
        let fixture = try Fixture(mode, clients: 1)
        for sequence in 0..<3 as Range<UInt64> {
            for byte in 0..<64 { fixture.send(0, sequence, bytes: byte..<byte + 1) }
            fixture.expectEcho(0, sequence)
        }
        fixture.expectEventually(.operations, 3)
        #expect(fixture.total(.errors) == 0)
        fixture.finish(open: [0])
    }

    @Test(arguments: modes) func anEndBetweenMessagesIsNoError(mode: String) throws {
        let fixture = try Fixture(mode, clients: 1)
        fixture.send(0, 0)
        shutdown(fixture.clients[0], CInt(SHUT_WR))
        fixture.expectEcho(0, 0)
        fixture.expectEnd(0)
        fixture.expectEventually(.operations, 1)
        #expect(fixture.total(.errors) == 0)
        fixture.finish(open: [0])
    }

    @Test(arguments: modes) func anEndWithinAMessageIsCounted(mode: String) throws {
        let fixture = try Fixture(mode, clients: 1)
        fixture.send(0, 0)
        fixture.expectEcho(0, 0)
        fixture.send(0, 1, bytes: 0..<20)
        shutdown(fixture.clients[0], CInt(SHUT_WR))
        // Who does not see the bytes cannot wait for the rest of them.
        if Mode.named(mode)?.capabilities.repliesUnseen == true { fixture.expectBytes(0, 20) }
        fixture.expectEnd(0)
        fixture.expectEventually(.errors, 1)
        fixture.expectEventually(.operations, 1)
        fixture.finish(open: [0])
    }

    @Test(arguments: modes) func aResetWithinAMessageIsCountedAndOthersAreServed(mode: String) throws {
        let fixture = try Fixture(mode, clients: 2)
        fixture.send(0, 0)
        fixture.expectEcho(0, 0)
        fixture.send(0, 1, bytes: 0..<20)
        try fixture.reset(0)
        fixture.expectEventually(.errors, 1)
        fixture.send(1, 0)
        fixture.expectEcho(1, 0)
        fixture.expectEventually(.operations, 2)
        fixture.finish(open: [1])
    }

    /// Fills both sockets' buffers with messages whose echoes nobody reads, and ends the run.
    @Test(arguments: modes) func aPeerThatDoesNotReadCannotHoldTheEnd(mode: String) throws {
        let fixture = try Fixture(mode, clients: 1)
        let batch = [UInt8](repeating: 7, count: 1 << 16)
        for descriptor in fixture.clients { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        // When the worker takes no more for this long, it waits for room or has nothing left to do.
        var entry = pollfd(fd: fixture.clients[0], events: Int16(POLLOUT), revents: 0)
        repeat {
            _ = Glibc.send(fixture.clients[0], batch, batch.count, CInt(MSG_NOSIGNAL))
        } while poll(&entry, 1, 50) > 0
        fixture.finish(open: [0])
    }
}
