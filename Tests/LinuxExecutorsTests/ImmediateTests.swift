import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Tasks that begin on the executor's thread without preferring it, and would be resumed elsewhere.
@Suite struct ImmediateTests {
    @Test(arguments: Kind.available) func anImmediateTaskReceivesAndSleeps(_ kind: Kind) throws {
        try kind.with { executor in
            let (client, connection) = try pair(executor)
            let received = try onExecutor(executor) {
                let task = Task.immediate {
                    let began = executor.isOnOwnThread
                    var bytes = [UInt8](repeating: 0, count: 8)
                    var received: [UInt8] = []
                    for _ in 0..<3 {
                        let count = try await connection.value.receive(into: &bytes)
                        received += bytes[..<count]
                        try await connection.value.sendAll(bytes.span.bytes.extracting(0..<count))
                    }
                    try await executor.sleep(for: .milliseconds(1))
                    return (began, received)
                }
                let thread = TestThread {
                    for number in 1...3 {
                        _ = try client.send([UInt8(number)])
                        try demand(try client.bytes() == [UInt8(number)])
                    }
                }
                let (began, received) = try await task.value
                try thread.join()
                #expect(began, "the task has not begun at once")
                return received
            }
            #expect(received == [1, 2, 3])
        }
    }
}
