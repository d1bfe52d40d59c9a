import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Several tasks that wait for one descriptor, which is no connection of the executor.
@Suite struct DescriptorWaitTests {
    /// A reader and a writer of one socket: each ends by its own event.
    @Test(arguments: Kind.available, [true, false])
    func aReaderAndAWriterShareASocket(_ kind: Kind, _ readerIsFirst: Bool) throws {
        try kind.with { executor in
            let (near, far) = try clients()
            let readable = { @Sendable in try await executor.waitUntilReadable(near.descriptor) }
            let writable = { @Sendable in try await executor.waitUntilWritable(near.descriptor) }
            let filled = try fill(near)
            let first = start(on: executor, readerIsFirst ? readable : writable)
            try settle(executor)
            let second = start(on: executor, readerIsFirst ? writable : readable)
            try settle(executor)
            let (reader, writer) = readerIsFirst ? (first, second) : (second, first)
            _ = try far.send([1])
            try reader.wait()
            var left = filled
            while left > 0 { left -= try far.bytes(atMost: 65536).count }
            try writer.wait()
        }
    }

    @Test(arguments: Kind.available) func allReadersOfAPipeAreResumed(_ kind: Kind) throws {
        try kind.with { executor in
            let pipe = Shared(try TestSupport.Pipe())
            let readers = (0..<5).map { _ in
                start(on: executor) { try await executor.waitUntilReadable(pipe.value.reader) }
            }
            try settle(executor)
            try pipe.value.write()
            for reader in readers { try reader.wait() }
        }
    }

    /// One that is cancelled leaves the others' registration alone, whichever of them it is.
    @Test(arguments: Kind.available, 0..<3) func oneThatIsCancelledLeavesTheOthers(_ kind: Kind, _ index: Int) throws {
        try kind.with { executor in
            let pipe = Shared(try TestSupport.Pipe())
            let readers = (0..<3).map { _ in
                start(on: executor) { try await executor.waitUntilReadable(pipe.value.reader) }
            }
            try settle(executor)
            readers[index].cancel()
            #expect(try readers[index].error() == .canceled)
            try settle(executor)
            try pipe.value.write()
            for (number, reader) in readers.enumerated() where number != index { try reader.wait() }
        }
    }

    /// The next wait begins anew after the last has ended, whatever it ended by.
    @Test(arguments: Kind.available) func waitsFollowEachOther(_ kind: Kind) throws {
        try kind.with { executor in
            let pipe = Shared(try TestSupport.Pipe())
            for round in 0..<20 {
                let reader = start(on: executor) { try await executor.waitUntilReadable(pipe.value.reader) }
                try settle(executor)
                if round % 2 == 0 {
                    reader.cancel()
                    #expect(try reader.error() == .canceled)
                } else {
                    try pipe.value.write()
                    try reader.wait()
                    _ = try pipe.value.read()
                }
            }
        }
    }

    /// A set cannot have a number for two purposes; neither spoils the other.
    @Test func aConnectionOfTheSetIsRefused() throws {
        try Kind.set.with { executor in
            let (client, connection) = try pair(executor)
            let receiver = start(on: executor) {
                var bytes = [UInt8](repeating: 0, count: 8)
                return try await connection.value.receive(into: &bytes)
            }
            try settle(executor)
            let waiter = start(on: executor) { try await executor.waitUntilReadable(connection.value.descriptor) }
            #expect(try waiter.error() == .resourceBusy)
            _ = try client.send([1, 2])
            #expect(try receiver.wait() == 2)
        }
    }
}

/// Two blocking ends of a connection that no executor has.
private func clients() throws -> (near: Client, far: Client) {
    let listener = try loopbackListener()
    let near = Client(try connect(to: listener))
    return (near, Client(try acceptNext(from: listener)))
}

/// Sends until there is no room; returns the number of bytes.
private func fill(_ client: Client) throws -> Int {
    try client.descriptor.setNonblocking(true)
    defer { try? client.descriptor.setNonblocking(false) }
    let bytes = pattern(100_000)
    var total = 0
    while let count = try client.descriptor.send(bytes.span.bytes) { total += count }
    return total
}
