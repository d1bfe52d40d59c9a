import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct SocketOptionTests {
    @Test(arguments: [
        (SocketOption.reuseAddress, SOL_SOCKET, SO_REUSEADDR), (.reusePort, SOL_SOCKET, SO_REUSEPORT),
        (.noDelay, CInt(IPPROTO_TCP), TCP_NODELAY),
    ])
    func switchIsOnAfterwards(_ option: SocketOption, _ level: CInt, _ name: CInt) throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        #expect(try value(of: socket.descriptor, level, name) == 0)
        try setSocketOption(option, on: socket.descriptor)
        #expect(try value(of: socket.descriptor, level, name) != 0)
    }

    @Test func bufferSizesAreDoubled() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try setSocketOption(.receiveBuffer(bytes: 16_384), on: socket.descriptor)
        try setSocketOption(.sendBuffer(bytes: 16_384), on: socket.descriptor)
        #expect(try value(of: socket.descriptor, SOL_SOCKET, SO_RCVBUF) == 32_768)
        #expect(try value(of: socket.descriptor, SOL_SOCKET, SO_SNDBUF) == 32_768)
    }

    /// More than there was takes a privilege.
    @Test func busyPollingIsSetWhereItIsAllowed() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        let options: [(SocketOption, CInt, CInt)] = [
            (.busyPoll(.microseconds(70)), C_SO_BUSY_POLL, 70), (.preferBusyPoll, C_SO_PREFER_BUSY_POLL, 1),
        ]
        for (option, name, wanted) in options {
            switch failure(of: { () throws(Errno) in try setSocketOption(option, on: socket.descriptor) }) {
            case nil: #expect(try value(of: socket.descriptor, SOL_SOCKET, name) == wanted)
            case let error: #expect(error == .notPermitted || error == .protocolNotAvailable, "\(option)")
            }
        }
        // What it was set to cannot be read.
        let budget = failure { () throws(Errno) in try setSocketOption(.busyPollBudget(16), on: socket.descriptor) }
        #expect([nil, .notPermitted, .protocolNotAvailable].contains(budget))
        let negative = failure { () throws(Errno) in
            try setSocketOption(.busyPoll(.microseconds(-1)), on: socket.descriptor)
        }
        #expect(negative == .invalidArgument || negative == .protocolNotAvailable)
    }

    @Test func loopbackHasNoQueueToPoll() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        _ = try client.send([1])
        let found = Result { () throws(Errno) in try napiIdentifier(of: server.descriptor) }
        if case .failure(.protocolNotAvailable) = found { return print("skipped: no SO_INCOMING_NAPI_ID here") }
        #expect(try found.get() == nil)
        #expect(throws: Errno.badFileDescriptor) { try napiIdentifier(of: BorrowedDescriptor(rawValue: -1)) }
    }

    @Test func acceptedConnectionsInheritTheReset() throws {
        let listener = try loopbackListener([.resetOnClose])
        let client = try connect(to: listener)
        try acceptNext(from: listener).close()
        #expect(throws: Errno.connectionReset) { try client.bytes() }
    }

    @Test func optionOfAnotherFamilyIsRefused() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        #expect(throws: Errno.self) { try setSocketOption(.ipv6Only, on: socket.descriptor) }
    }

    @Test func closedDescriptorIsRefused() {
        let none = BorrowedDescriptor(rawValue: -1)
        #expect(throws: Errno.badFileDescriptor) { try setSocketOption(.noDelay, on: none) }
        #expect(throws: Errno.badFileDescriptor) { try takeSocketError(of: none) }
    }
}

private func value(of socket: BorrowedDescriptor, _ level: CInt, _ name: CInt) throws -> CInt {
    var value: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    if getsockopt(socket.rawValue, level, name, &value, &length) != 0 { throw Errno(rawValue: errno) }
    return value
}
