import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct ListenerTests {
    @Test func acceptReturnsNilWhenNobodyIsThere() throws {
        let listener = try loopbackListener()
        #expect(try listener.accept() == nil)
    }

    @Test func acceptedConnectionsReachTheirPeers() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        #expect(try client.send([1, 2, 3]) == 3)
        #expect(try server.bytes() == [1, 2, 3])
        #expect(try listener.accept() == nil)
    }

    @Test func acceptOptionsBecomeDescriptorFlags() throws {
        let listener = try loopbackListener()
        let first = try connect(to: listener)
        let second = try connect(to: listener)
        let waiting = try acceptNext(from: listener, [])
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFL) & O_NONBLOCK == 0)
        let other = try acceptNext(from: listener, [.nonblocking])
        #expect(fcntl(other.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(other.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
        try first.close()
        try second.close()
    }

    @Test func secondListenerNeedsReusePort() throws {
        let alone = try loopbackListener()
        let taken = try alone.address
        #expect(throws: Errno.addressInUse) { try Listener(taken, [.reusePort]).close() }

        let first = try loopbackListener([.reusePort])
        let second = try Listener(first.address, [.reusePort])
        #expect(try first.address == second.address)
    }

    @Test func stopAcceptingEndsAWaitingAccept() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try socket.bind(to: .loopback())
        let listener = try socket.listen(backlog: 16)
        let borrowed = listener.descriptor
        let waiter = TestThread<Errno?> {
            failure(of: { () throws(Errno) in try acceptConnection(from: borrowed) })
        }
        try waiter.waitUntilBlocked()
        try listener.stopAccepting()
        #expect(try waiter.join() == .invalidArgument)
        #expect(throws: Errno.invalidArgument) { try listener.accept()?.close() }
    }

    @Test func closeResetsWhoWasNotAccepted() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        try waitUntilReadable(listener.descriptor)
        try listener.close()
        #expect(throws: Errno.connectionReset) { try client.bytes() }
    }

    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling))
    func connectionWaitsWhileDescriptorsAreShort() throws {
        try withOwnDescriptorTable {
            _ = try DescriptorLimit.raise()
            let listener = try loopbackListener()
            let client = try connect(to: listener)
            try waitUntilReadable(listener.descriptor)
            let filled = try fillDescriptorTable()
            #expect(throws: Errno.tooManyOpenFiles) { try listener.accept()?.close() }
            try filled[0].close()
            #expect(try listener.accept() != nil)
            try client.close()
        }
    }
}
