import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct ListenerOptionTests {
    @Test func aDeferredConnectionComesWithItsFirstBytes() throws {
        let listener = try loopbackListener([.deferAccept(seconds: 60)])
        let silent = try connect(to: listener)
        let speaking = try connect(to: listener)
        _ = try speaking.send([2])
        #expect(try acceptNext(from: listener).bytes() == [2])
        let isNext = try listener.accept() != nil
        #expect(!isNext)
        _ = try silent.send([1])
        #expect(try acceptNext(from: listener).bytes() == [1])
    }

    @Test func withoutItTheyComeInTheOrderOfTheirConnects() throws {
        let listener = try loopbackListener()
        let silent = try connect(to: listener)
        let speaking = try connect(to: listener)
        _ = try speaking.send([2])
        let first = try acceptNext(from: listener)
        #expect(try acceptNext(from: listener).bytes() == [2])
        _ = try silent.send([1])
        #expect(try first.bytes() == [1])
    }

    @Test func negativeAmountsAreRefused() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        for option in [SocketOption.deferAccept(seconds: -1), .fastOpen(queue: -1), .incomingProcessor(-1)] {
            #expect(throws: Errno.invalidArgument) { try setSocketOption(option, on: socket.descriptor) }
        }
    }

    @Test func aProcessorIsNoted() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try setSocketOption(.incomingProcessor(1), on: socket.descriptor)
        var value: CInt = -1
        var length = socklen_t(MemoryLayout<CInt>.size)
        #expect(getsockopt(socket.descriptor.rawValue, SOL_SOCKET, SO_INCOMING_CPU, &value, &length) == 0)
        #expect(value == 1)
    }

    @Test func fastOpenSupportIsTheParameter() throws {
        let support = try FastOpenSupport.current()
        let text = try parameter()
        #expect("\(support.rawValue)\n" == text)
    }

    @Test(arguments: [FastOpenSupport.client, [.client, .server]])
    func bytesGoWithTheSYNWhereTheServerMay(_ allowed: FastOpenSupport) throws {
        let seen = try onOwnThread { () -> [Bool]? in
            guard try enterNetworkNamespace(fastOpen: allowed) else { return nil }
            #expect(try FastOpenSupport.current() == allowed)
            let listener = try loopbackListener([.fastOpen(queue: 16)])
            return try (0..<3).map { _ in try exchangesEarly(with: listener) }
        }
        guard let seen else { return print("skipped: net.ipv4.tcp_fastopen cannot be set in a namespace here") }
        // The first brings the cookie that the others are known by.
        #expect(seen == (allowed.contains(.server) ? [false, true, true] : [false, false, false]))
    }
}

private func parameter() throws -> String {
    let file = try #require(fopen(fastOpenParameter, "r"))
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 64)
    try #require(fgets(&line, 64, file) != nil)
    return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Sends a byte over a new connection; whether the kernel says that it went with the SYN.
private func exchangesEarly(with listener: borrowing Listener) throws -> Bool {
    let socket = try StreamSocket(for: .loopback(), .blocking)
    try setSocketOption(.fastOpenConnect, on: socket.descriptor)
    let client = try socket.connect(to: listener.address)
    _ = try client.send([9])
    let server = try acceptNext(from: listener)
    #expect(try server.bytes() == [9])
    _ = try server.send([8])
    #expect(try client.bytes() == [8])
    var information = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    #expect(getsockopt(client.descriptor.rawValue, CInt(IPPROTO_TCP), TCP_INFO, &information, &length) == 0)
    // TCPI_OPT_SYN_DATA: the SYN carried data, and it was acknowledged.
    return information.tcpi_options & 32 != 0
}
