import Foundation
import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Sends back what comes until the peer's end; returns the number of bytes.
func echo(_ connection: borrowing AsyncConnection, roomFor room: Int = 4096) async throws(Errno) -> Int {
    var bytes = [UInt8](repeating: 0, count: room)
    var total = 0
    while true {
        let count = try await connection.receive(into: &bytes)
        if count == 0 { return total }
        total += count
        try await connection.sendAll(bytes.span.bytes.extracting(0..<count))
    }
}

/// Receives and sends, by whom and however much.
@Suite struct TransferTests {
    @Test(arguments: Kind.available) func whatIsSentComesBack(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let server1 = start(on: executor) { try await echo(connection.value) }
            for round in 0..<50 {
                let message = pattern(64, from: round)
                _ = try client.send(message)
                #expect(try client.bytes() == message)
            }
            try client.finishSending()
            #expect(try server1.wait() == 50 * 64)
        }
    }

    /// More than the buffers hold, so that both sides wait for each other again and again.
    @Test(arguments: Kind.available) func aLongStreamArrivesWhole(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let bytes = pattern(4 << 20)
            let sender = start(on: executor) {
                try await connection.value.sendAll(bytes.span.bytes)
                try connection.value.finishSending()
            }
            #expect(try client.readToEnd() == bytes)
            try sender.wait()
        }
    }

    /// A reader and a writer on one connection do not get into each other's way.
    @Test(arguments: Kind.available) func bothDirectionsWorkAtOnce(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let bytes = pattern(1 << 20)
            let work = start(on: executor) {
                async let sent: Void = connection.value.sendAll(bytes.span.bytes)
                var room = [UInt8](repeating: 0, count: 10_000)
                var received: [UInt8] = []
                while true {
                    let count = try await connection.value.receive(into: &room)
                    if count == 0 { break }
                    received += room[..<count]
                }
                try await sent
                try connection.value.finishSending()
                return received
            }
            let writer = TestThread {
                var sent = 0
                while sent < bytes.count { sent += try client.send(Array(bytes[sent...].prefix(50_000))) }
                try client.finishSending()
            }
            #expect(try client.readToEnd() == bytes)
            try writer.join()
            #expect(try work.wait() == bytes)
        }
    }

    /// A borrowed span, of which one part is filled.
    @Test(arguments: Kind.available) func aSpanIsFilledFromItsStart(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            _ = try client.send([7, 8, 9])
            let bytes = try onExecutor(executor) {
                var bytes = [UInt8](repeating: 1, count: 6)
                var span = bytes.mutableSpan
                var raw = span.mutableBytes
                let count = try await connection.value.receive(into: &raw)
                return (count, bytes)
            }
            #expect(bytes.0 == 3)
            #expect(bytes.1 == [7, 8, 9, 1, 1, 1])
        }
    }

    @Test(arguments: Kind.available) func emptyMemoryIsRefused(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let error = try start(on: executor) {
                var bytes: [UInt8] = []
                return try await connection.value.receive(into: &bytes)
            }.error()
            #expect(error == .invalidArgument)
            let sent = try onExecutor(executor) { () async throws -> Int in
                let nothing: [UInt8] = []
                try await connection.value.sendAll(nothing.span.bytes)
                return try await connection.value.send(nothing.span.bytes)
            }
            #expect(sent == 0)
            try client.close()
        }
    }

    @Test(arguments: Kind.available) func aPeerThatResetsIsAnError(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let reader = start(on: executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                return try await connection.value.receive(into: &bytes)
            }
            try settle(executor)
            try setSocketOption(.resetOnClose, on: client.descriptor)
            try client.close()
            #expect(try reader.error() == .connectionReset)
            let writer = start(on: executor) { try await connection.value.sendAll([UInt8(1)].span.bytes) }
            #expect(try writer.error() == .brokenPipe)
        }
    }

    /// The peer resets while a send waits for room.
    @Test(arguments: Kind.available) func aSendToAPeerThatResetsEnds(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let writer = start(on: executor) {
                try await connection.value.sendAll([UInt8](repeating: 0, count: 64 << 20).span.bytes)
            }
            try waitUntilReadable(client.descriptor)
            try setSocketOption(.resetOnClose, on: client.descriptor)
            try client.close()
            let error = try writer.error()
            #expect(error == .connectionReset || error == .brokenPipe)
        }
    }

    /// Bytes that came before the peer's end are not forgotten for it.
    @Test(arguments: Kind.available) func theLastBytesComeBeforeTheEnd(_ kind: Kind) throws {
        try kind.with { executor in
            for size in [1, 3, 4, 5, 4096] {
                let (client, connection) = try pair(executor)
                let reader = start(on: executor) {
                    var all: [UInt8] = []
                    var bytes = [UInt8](repeating: 0, count: 4)
                    while true {
                        let count = try await connection.value.receive(into: &bytes)
                        if count == 0 { return all }
                        all += bytes[..<count]
                    }
                }
                try settle(executor)
                _ = try client.send(pattern(size))
                try client.close()
                #expect(try reader.wait() == pattern(size))
            }
        }
    }

    /// Urgent bytes cut a receive short although more is there.
    @Test(arguments: Kind.available) func urgentBytesHoldUpNothing(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let reader = start(on: executor) {
                var all: [UInt8] = []
                var bytes = [UInt8](repeating: 0, count: 64)
                while true {
                    let count = try await connection.value.receive(into: &bytes)
                    if count == 0 { return all }
                    all += bytes[..<count]
                }
            }
            try settle(executor)
            _ = try client.send([1, 2, 3])
            var urgent: [UInt8] = [9]
            #expect(Glibc.send(client.descriptor.rawValue, &urgent, 1, CInt(MSG_OOB)) == 1)
            _ = try client.send([4, 5])
            try client.close()
            #expect(try reader.wait() == [1, 2, 3, 4, 5])
        }
    }

    /// Unix sockets end a receive where descriptors come along; the rest must not wait for an edge.
    @Test(arguments: Kind.available) func unixSocketsWork(_ kind: Kind) throws {
        try kind.with { executor in
            let name = "executors-\(getpid())-\(kind)"
            let address = try SocketAddress.unix(abstractName: name)
            let listener = try Listener(address)
            let client = Client(try StreamSocket(for: address, .blocking).connect(to: address))
            let connection = try adopt(acceptNext(from: listener), executor)
            let server = start(on: executor) { try await echo(connection.value) }
            for _ in 0..<10 {
                _ = try client.send(pattern(100))
                #expect(try client.bytes(atMost: 100) == pattern(100))
            }
            try client.finishSending()
            #expect(try server.wait() == 1000)
        }
    }

    /// From a task that runs elsewhere each operation goes to the executor and comes back.
    @Test(arguments: Kind.available) func operationsCanBeUsedFromElsewhere(_ kind: Kind) async throws {
        let executor = try kind.make()
        let (client, connection) = try pair(executor)
        _ = try client.send([1, 2])
        var bytes = [UInt8](repeating: 0, count: 4)
        #expect(try await connection.value.receive(into: &bytes) == 2)
        #expect(bytes == [1, 2, 0, 0])
        #expect(!executor.isOnOwnThread)
        try await connection.value.sendAll([UInt8(3)].span.bytes)
        #expect(try client.bytes() == [3])
        try await executor.sleep(for: .milliseconds(1))
        await executor.shutdown()
    }

    @Test(arguments: Kind.available) func connectionsCanBeMade(_ kind: Kind) throws {
        try kind.with { executor in
            let listener = try asyncListener(executor)
            let address = try listener.value.address
            let server = start(on: executor) { try await echo(try await listener.value.accept()) }
            let received = try onExecutor(executor) {
                let client = try await connection(to: address, executor)
                try await client.sendAll(pattern(10).span.bytes)
                var bytes = [UInt8](repeating: 0, count: 10)
                var count = 0
                while count < 10 { count += try await client.receive(into: &bytes) }
                return bytes
            }
            #expect(received == pattern(10))
            #expect(try server.wait() == 10)
        }
    }

    @Test(arguments: Kind.available) func aConnectionThatIsRefusedIsAnError(_ kind: Kind) throws {
        try kind.with { executor in
            let address = try loopbackListener().address
            let error = try start(on: executor) { _ = try await connection(to: address, executor) }.error()
            #expect(error == .connectionRefused)
        }
    }

    @Test(arguments: Kind.available) func otherDescriptorsCanBeWaitedFor(_ kind: Kind) throws {
        try kind.with { executor in
            let pipe = Shared(try TestSupport.Pipe())
            for _ in 0..<3 {
                let waiting = start(on: executor) { try await executor.waitUntilReadable(pipe.value.reader) }
                try settle(executor)
                try pipe.value.write()
                try waiting.wait()
                try pipe.value.read()
            }
            let waiting = start(on: executor) { try await executor.waitUntilReadable(pipe.value.reader) }
            try settle(executor)
            waiting.cancel()
            #expect(try waiting.error() == .canceled)
            let none = start(on: executor) { try await executor.waitUntilReadable(BorrowedDescriptor(rawValue: -1)) }
            #expect(try none.error() == .badFileDescriptor)
        }
    }
}

private func connection(to address: SocketAddress, _ executor: any EventExecutor) async throws -> AsyncConnection {
    func make(_ executor: some EventExecutor) async throws -> AsyncConnection {
        try await AsyncConnection.connect(to: address, on: executor)
    }
    return try await make(executor)
}
