import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Accepts connections, one after the other or by several tasks.
@Suite struct AcceptTests {
    @Test(arguments: Kind.available) func everyConnectionIsAccepted(_ kind: Kind) throws {
        try kind.with { executor in
            let listener = try asyncListener(executor)
            let server = start(on: executor) {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<40 {
                        let connection = Shared(try await listener.value.accept())
                        group.addTask { try await echo(connection.value) }
                    }
                    return try await group.reduce(0, +)
                }
            }
            for round in 0..<40 {
                let client = try connect(to: listener)
                _ = try client.send(pattern(20, from: round))
                #expect(try client.bytes() == pattern(20, from: round))
            }
            #expect(try server.wait() == 800)
        }
    }

    /// A connection that a closure captures is closed with it.
    @Test(arguments: Kind.available) func aTaskOwnsTheConnectionThatItCaptures(_ kind: Kind) throws {
        try kind.with { executor in
            let listener = try asyncListener(executor)
            let server = start(on: executor) {
                try await withThrowingDiscardingTaskGroup { group in
                    for _ in 0..<3 {
                        let connection = try await listener.value.accept()
                        group.addTask { try await connection.sendAll([UInt8(5)].span.bytes) }
                    }
                }
            }
            for _ in 0..<3 {
                let client = try connect(to: listener)
                #expect(try client.readToEnd() == [5])
            }
            try server.wait()
        }
    }

    @Test(arguments: Kind.available) func severalTasksAcceptAtOnce(_ kind: Kind) throws {
        try kind.with { executor in
            let listener = try asyncListener(executor)
            let servers = (0..<8).map { _ in
                start(on: executor) {
                    let connection = try await listener.value.accept()
                    try await connection.sendAll([UInt8(1)].span.bytes)
                }
            }
            try settle(executor)
            for _ in 0..<8 {
                let client = try connect(to: listener)
                #expect(try client.readToEnd() == [1])
            }
            for server in servers { try server.wait() }
        }
    }

    /// Two executors share a listener by duplicates of its descriptor.
    @Test(arguments: Kind.available) func executorsShareAListener(_ kind: Kind) throws {
        try kind.with { first in
            try kind.with { second in
                let one = try asyncListener(first)
                let two = try another(one, second)
                let servers = [(first, one), (second, two)].map { executor, listener in
                    start(on: executor) {
                        var count = 0
                        while true {
                            do {
                                let connection = try await listener.value.accept()
                                try await connection.sendAll([UInt8(1)].span.bytes)
                                count += 1
                            } catch Errno.canceled {
                                return count
                            }
                        }
                    }
                }
                for _ in 0..<50 { #expect(try connect(to: one).readToEnd() == [1]) }
                for server in servers { server.cancel() }
                #expect(try servers.reduce(0) { try $0 + $1.wait() } == 50)
            }
        }
    }

    /// Without a descriptor the accept says so, and the connection is still there when there is one.
    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling), arguments: Kind.available)
    func aShortageOfDescriptorsLosesNothing(_ kind: Kind) throws {
        _ = try DescriptorLimit.raise()
        try withOwnDescriptorTable {
            try kind.with { executor in
                let listener = try asyncListener(executor)
                let client = try connect(to: listener)
                let taken = try fillDescriptorTable()
                let failure = try start(on: executor) { _ = try await listener.value.accept() }.error()
                #expect(failure == .tooManyOpenFiles)
                for descriptor in taken { try descriptor.close() }
                try onExecutor(executor) { try await listener.value.accept().sendAll([UInt8(3)].span.bytes) }
                #expect(try client.readToEnd() == [3])
            }
        }
    }

    /// An executor that cannot be made says why and leaves nothing behind.
    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling), arguments: Kind.available)
    func anExecutorWithoutDescriptorsIsRefused(_ kind: Kind) throws {
        _ = try DescriptorLimit.raise()
        try withOwnDescriptorTable {
            for free in 0..<3 {
                var taken = try fillDescriptorTable()
                for _ in 0..<free { try taken.removeLast().close() }
                var refusal: Errno?
                do { _ = try kind.make() } catch { refusal = error as? Errno }
                #expect(refusal == .tooManyOpenFiles)
                // A thread that was started for it may be about to end.
                var left = 0
                let isGivenBack = eventually {
                    while let one = try? FileDescriptor.standardError.duplicate() {
                        taken.append(one)
                        left += 1
                    }
                    return left == free
                }
                #expect(isGivenBack, "\(left) of \(free)")
                for descriptor in taken { try descriptor.close() }
            }
        }
    }
}

private func another(_ listener: Shared<AsyncListener>, _ executor: any EventExecutor) throws -> Shared<AsyncListener> {
    func make(_ executor: some EventExecutor) throws -> AsyncListener {
        try AsyncListener(Listener(owning: listener.value.descriptor.duplicate()), on: executor)
    }
    return Shared(try make(executor))
}
