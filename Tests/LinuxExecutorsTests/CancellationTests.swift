import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Tasks that are cancelled at every point of an operation: nothing is lost, nothing is left.
@Suite struct CancellationTests {
    /// Cancelled before it began: no operation does anything.
    @Test(arguments: Kind.available) func aCancelledTaskBeginsNothing(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let listener = try asyncListener(executor)
            let waiting = try connect(to: listener)
            _ = try client.send([1, 2, 3])
            let errors = try onExecutor(executor) {
                let task = Task {
                    while !Task.isCancelled { await Task.yield() }
                    var errors: [Errno?] = []
                    var bytes = [UInt8](repeating: 0, count: 8)
                    errors.append(
                        await failure { () async throws(Errno) in _ = try await connection.value.receive(into: &bytes) }
                    )
                    errors.append(
                        await failure { () async throws(Errno) in
                            try await connection.value.sendAll([UInt8(1)].span.bytes)
                        })
                    errors.append(await failure { () async throws(Errno) in _ = try await listener.value.accept() })
                    errors.append(
                        await failure { () async throws(Errno) in try await executor.sleep(for: .seconds(600)) })
                    return errors
                }
                task.cancel()
                return await task.value
            }
            #expect(errors == [.canceled, .canceled, .canceled, .canceled])
            // The bytes and the connection are still there.
            let count = try onExecutor(executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                let accepted = try await listener.value.accept()
                try await accepted.sendAll([UInt8(4)].span.bytes)
                return try await connection.value.receive(into: &bytes)
            }
            #expect(count == 3)
            #expect(try waiting.readToEnd() == [4])
            try connection.value.finishSending()
            #expect(try client.readToEnd() == [])
        }
    }

    /// Cancelled while the operation waits in the kernel, by another thread and by the executor's own.
    @Test(arguments: Kind.available, [true, false])
    func aWaitingReceiveIsCancelled(_ kind: Kind, _ fromOwnThread: Bool) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let reader = start(on: executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                return try await connection.value.receive(into: &bytes)
            }
            try settle(executor)
            if fromOwnThread { try onExecutor(executor) { reader.cancel() } } else { reader.cancel() }
            #expect(try reader.error() == .canceled)
            // The connection works on.
            _ = try client.send([9])
            let again = try onExecutor(executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                return try await connection.value.receive(into: &bytes)
            }
            #expect(again == 1)
        }
    }

    @Test(arguments: Kind.available) func aWaitingAcceptIsCancelled(_ kind: Kind) throws {
        try kind.with { executor in
            let listener = try asyncListener(executor)
            let acceptors = (0..<4).map { _ in start(on: executor) { _ = try await listener.value.accept() } }
            try settle(executor)
            for number in [1, 3] { acceptors[number].cancel() }
            for number in [1, 3] { #expect(try acceptors[number].error() == .canceled) }
            // The others still wait, and get what comes.
            let clients = [try connect(to: listener), try connect(to: listener)]
            for number in [0, 2] { try acceptors[number].wait() }
            #expect(clients.count == 2)
        }
    }

    /// A send that waits for room: what was taken before arrives, and no more.
    @Test(arguments: Kind.available) func aWaitingSendIsCancelled(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let writer = start(on: executor) {
                let bytes = pattern(100_000)
                var total = 0
                do {
                    while true { total += try await connection.value.send(bytes.span.bytes) }
                } catch Errno.canceled {
                    return total
                }
            }
            try waitUntilReadable(client.descriptor)
            for _ in 0..<20 { try settle(executor) }
            writer.cancel()
            let total = try writer.wait()
            try connection.value.finishSending()
            #expect(try client.readToEnd().count == total)
        }
    }

    /// Cancelled while bytes come: each of them is received once, by the cancelled task or by the next.
    @Test(arguments: Kind.available, [true, false])
    func noByteIsLostInARace(_ kind: Kind, _ fromOwnThread: Bool) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let received = Record<UInt8>()
            let cancelled = Tally()
            for round in 0..<200 {
                let reader = start(on: executor) {
                    var bytes = [UInt8](repeating: 0, count: 8)
                    do {
                        let count = try await connection.value.receive(into: &bytes)
                        received.append(contentsOf: bytes[..<count])
                    } catch Errno.canceled {
                        cancelled.add()
                    }
                }
                if round % 2 == 0 { try settle(executor) }
                if fromOwnThread {
                    try onExecutor(executor) {
                        _ = try client.send(pattern(3, from: 3 * round))
                        reader.cancel()
                    }
                } else {
                    _ = try client.send(pattern(3, from: 3 * round))
                    reader.cancel()
                }
                try reader.wait()
            }
            try client.finishSending()
            try onExecutor(executor) {
                var bytes = [UInt8](repeating: 0, count: 64)
                while true {
                    let count = try await connection.value.receive(into: &bytes)
                    if count == 0 { return }
                    received.append(contentsOf: bytes[..<count])
                }
            }
            #expect(received.all == pattern(600))
        }
    }

    /// Cancelled while clients connect: each of them is accepted once.
    @Test(arguments: Kind.available) func noConnectionIsLostInARace(_ kind: Kind) throws {
        try kind.with { executor in
            let listener = try asyncListener(executor)
            var clients: [Client] = []
            let accepted = Record<Shared<AsyncConnection>>()
            for round in 0..<100 {
                let acceptor = start(on: executor) {
                    do {
                        accepted.append(Shared(try await listener.value.accept()))
                    } catch Errno.canceled {}
                }
                if round % 2 == 0 { try settle(executor) }
                clients.append(try connect(to: listener))
                acceptor.cancel()
                try acceptor.wait()
            }
            try onExecutor(executor) {
                for _ in accepted.all.count..<100 { accepted.append(Shared(try await listener.value.accept())) }
                for connection in accepted.all { try await connection.value.sendAll([UInt8(1)].span.bytes) }
            }
            for client in clients { #expect(try client.bytes() == [1]) }
        }
    }

    /// One of two acceptors is cancelled as a connection comes, which may have woken it and not the other.
    @Test(arguments: Kind.available, 0..<2) func aCancelledAcceptLeavesNoConnection(_ kind: Kind, _ index: Int) throws {
        try kind.with { executor in
            let listener = try asyncListener(executor)
            for round in 0..<50 {
                let acceptors = (0..<2).map { _ in start(on: executor) { _ = try await listener.value.accept() } }
                try settle(executor)
                let client: Client
                if round % 2 == 0 {
                    client = try onExecutor(executor) {
                        let client = try connect(to: listener)
                        acceptors[index].cancel()
                        return client
                    }
                } else {
                    client = try connect(to: listener)
                    acceptors[index].cancel()
                }
                let (cancelled, other) = (acceptors[index], acceptors[1 - index])
                if let error = try cancelled.error() {
                    #expect(error == .canceled)
                    #expect(try other.error() == nil)
                } else {
                    other.cancel()
                    #expect(try other.error() == .canceled)
                }
                // The end of the task has closed what it accepted.
                #expect(try client.readToEnd().isEmpty)
            }
        }
    }

    @Test(arguments: Kind.available) func cancellingAgainAndTooLateDoesNothing(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let reader = start(on: executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                return try await connection.value.receive(into: &bytes)
            }
            _ = try client.send([1])
            #expect(try reader.wait() == 1)
            reader.cancel()
            let next = start(on: executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                return try await connection.value.receive(into: &bytes)
            }
            try settle(executor)
            for _ in 0..<3 { reader.cancel() }
            try settle(executor)
            _ = try client.send([2, 3])
            #expect(try next.wait() == 2)
            for _ in 0..<3 { next.cancel() }
        }
    }
}

/// The error that an asynchronous call throws; nil if it throws none.
private func failure(_ body: () async throws(Errno) -> Void) async -> Errno? {
    do {
        try await body()
        return nil
    } catch {
        return error
    }
}
