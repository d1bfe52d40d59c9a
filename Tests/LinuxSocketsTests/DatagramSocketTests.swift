import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// UDP over both versions of IP, and unix.
@Suite struct DatagramSocketTests {
    @Test func flagsAreSetFromTheStart() throws {
        let socket = try DatagramSocket(boundTo: .loopback())
        #expect(fcntl(socket.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(socket.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
        let waiting = try DatagramSocket(boundTo: .loopback(), .blocking)
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFL) & O_NONBLOCK == 0)
        #expect(try socket.localAddress.port != 0)
    }

    @Test(arguments: DatagramKind.allCases) func aDatagramTellsWhoSentIt(_ kind: DatagramKind) throws {
        guard let pair = try kind.pair() else { return }
        #expect(try pair.one.receiveNow() == nil)
        #expect(try pair.other.sendBytes([1, 2, 3], to: pair.one.localAddress))
        let (bytes, peer, datagram) = try pair.one.next()
        #expect(bytes == [1, 2, 3] && datagram.length == 3 && !datagram.isTruncated)
        #expect(try peer == pair.other.localAddress)
        #expect(try pair.one.sendBytes([4], to: peer))
        #expect(try pair.other.next().bytes == [4])
        #expect(try pair.one.receiveNow() == nil)
    }

    @Test(arguments: DatagramKind.allCases) func aLongDatagramIsCutAndItsLengthTold(_ kind: DatagramKind) throws {
        guard let pair = try kind.pair() else { return }
        let address = try pair.one.localAddress
        #expect(try pair.other.sendBytes([UInt8](0..<100), to: address))
        #expect(try pair.other.sendBytes([7], to: address))
        let (bytes, _, datagram) = try pair.one.next(room: 10)
        #expect(bytes == [UInt8](0..<10))
        #expect(datagram.length == 100 && datagram.count == 10 && datagram.isTruncated)
        // The rest is gone, and the next one is whole.
        let (second, _, next) = try pair.one.next(room: 1)
        #expect(second == [7] && !next.isTruncated)
    }

    @Test(arguments: DatagramKind.allCases) func anEmptyDatagramIsOne(_ kind: DatagramKind) throws {
        guard let pair = try kind.pair() else { return }
        #expect(try pair.other.sendBytes([], to: pair.one.localAddress))
        let (bytes, peer, datagram) = try pair.one.next()
        #expect(try bytes.isEmpty && datagram.length == 0 && !datagram.isTruncated && peer == pair.other.localAddress)
        #expect(try pair.one.receiveNow() == nil)
    }

    @Test(arguments: DatagramKind.allCases) func peekingLeavesItThere(_ kind: DatagramKind) throws {
        guard let pair = try kind.pair() else { return }
        #expect(try pair.other.sendBytes([1, 2, 3, 4], to: pair.one.localAddress))
        for room in [0, 2, 4] {
            let (bytes, _, datagram) = try pair.one.next(room: room, options: .peek)
            #expect(bytes == Array([1, 2, 3, 4].prefix(room)) && datagram.length == 4)
            #expect(datagram.isTruncated == (room < 4))
        }
        #expect(try pair.one.next().bytes == [1, 2, 3, 4])
        #expect(try pair.one.receiveNow() == nil)
    }

    /// With no room it is taken all the same.
    @Test func noRoomTellsTheLengthAndDropsIt() throws {
        let pair = try #require(try DatagramKind.udp.pair())
        #expect(try pair.other.sendBytes([1, 2, 3], to: pair.one.localAddress))
        let (bytes, _, datagram) = try pair.one.next(room: 0)
        #expect(bytes.isEmpty && datagram.length == 3 && datagram.isTruncated)
        #expect(try pair.one.receiveNow() == nil)
    }

    @Test(arguments: DatagramKind.allCases) func aConnectedSocketSendsThereAndHearsNobodyElse(_ kind: DatagramKind)
        throws
    {
        guard let pair = try kind.pair(), let strangers = try kind.pair() else { return }
        try pair.one.connect(to: pair.other.localAddress)
        #expect(try pair.one.peerAddress == pair.other.localAddress)
        #expect(try pair.one.sendBytes([1]))
        #expect(try pair.other.next().bytes == [1])
        let address = try pair.one.localAddress
        if kind == .unix {
            // A unix socket is told that it is not wanted.
            #expect(throws: Errno.notPermitted) { try strangers.one.sendBytes([2], to: address) }
        } else {
            #expect(try strangers.one.sendBytes([2], to: address))
        }
        #expect(try pair.other.sendBytes([3], to: address))
        #expect(try pair.one.next().bytes == [3])
        #expect(try pair.one.receiveNow() == nil)
        try pair.one.disconnect()
        #expect(throws: Errno.socketNotConnected) { try pair.one.peerAddress }
        try pair.one.bindAgain(to: address)
        #expect(try strangers.one.sendBytes([4], to: pair.one.localAddress))
        #expect(try pair.one.next().bytes == [4])
    }

    @Test func nobodyThereIsToldToAConnectedSocketOnly() throws {
        // It hears nobody but the other one, and keeps its port from others.
        let pair = try #require(try DatagramKind.udp.pair())
        try pair.one.connect(to: pair.other.localAddress)
        let address = try pair.one.localAddress
        let socket = try DatagramSocket(for: address)
        try socket.connect(to: address)
        #expect(try socket.sendBytes([1]))
        // The answer of ICMP makes it readable, and is the error of the next call.
        try waitUntilReadable(socket.descriptor)
        #expect(throws: Errno.connectionRefused) { try socket.receiveNow() }
        #expect(try socket.receiveNow() == nil)
        #expect(try socket.sendBytes([1]))
        try waitUntilReadable(socket.descriptor)
        #expect(try socket.takeError() == .connectionRefused)
        #expect(try socket.takeError() == nil && socket.receiveNow() == nil)
        let stranger = try DatagramSocket(for: address)
        #expect(try stranger.sendBytes([1], to: address))
        #expect(try stranger.sendBytes([1], to: address))
        #expect(try stranger.receiveNow() == nil)
    }

    @Test func mistakesAreNamed() throws {
        let socket = try DatagramSocket(boundTo: .loopback())
        #expect(throws: Errno(rawValue: EDESTADDRREQ)) { try socket.sendBytes([1]) }
        #expect(throws: Errno.socketNotConnected) { try socket.peerAddress }
        #expect(throws: Errno.messageTooLong) {
            try socket.sendBytes([UInt8](repeating: 0, count: 65_508), to: .loopback(port: 9))
        }
        #expect(throws: Errno.invalidArgument) { try socket.sendBytes([1], to: .loopback(port: 0)) }
        let address = try socket.localAddress
        #expect(throws: Errno.addressInUse) { try DatagramSocket(boundTo: address).close() }
        let unix = try DatagramSocket(for: .unixUnnamed)
        #expect(throws: Errno.socketNotConnected) { try unix.sendBytes([1]) }
        #expect(throws: Errno.connectionRefused) {
            try unix.sendBytes([1], to: SocketAddress.unix(abstractName: "nobody-\(getpid())"))
        }
    }

    @Test func theLargestDatagramOfIPv4Arrives() throws {
        let pair = try #require(try DatagramKind.udp.pair())
        let bytes = [UInt8](repeating: 5, count: 65_507)
        #expect(try pair.other.sendBytes(bytes, to: pair.one.localAddress))
        #expect(try pair.one.next(room: 65_536).bytes == bytes)
    }

    @Test func aSocketThatIsNotBoundHasNoAddress() throws {
        let pair = try #require(try DatagramKind.unix.pair())
        let nameless = try DatagramSocket(for: .unixUnnamed)
        #expect(try nameless.sendBytes([1], to: pair.one.localAddress))
        let (bytes, peer, _) = try pair.one.next()
        #expect(bytes == [1] && peer == nil)
    }

    /// A receiver that does not read fills its queue, and senders are told.
    @Test func aFullQueueIsFalseAndNotAnError() throws {
        let pair = try #require(try DatagramKind.unix.pair())
        let address = try pair.one.localAddress
        var sent = 0
        while sent < 100_000, try pair.other.sendBytes([1], to: address) { sent += 1 }
        #expect(sent > 0 && sent < 100_000)
        for _ in 0..<sent { #expect(try pair.one.next().bytes == [1]) }
        #expect(try pair.other.sendBytes([2], to: address))
        #expect(try pair.one.next().bytes == [2])
    }

    @Test func aBlockingReceiveWaitsUnlessToldNotTo() throws {
        let socket = try DatagramSocket(boundTo: .loopback(), .blocking)
        #expect(try socket.receiveNow(.withoutWaiting) == nil)
        let borrowed = socket.descriptor
        let waiter = TestThread {
            allowInterruption()
            let socket = DatagramSocket(owning: try borrowed.duplicate())
            return try socket.receiveNow([])?.length
        }
        for _ in 0..<5 {
            try waiter.waitUntilBlocked()
            _ = waiter.signal(interruption)
        }
        #expect(!waiter.hasEnded)
        let other = try DatagramSocket(for: .loopback())
        #expect(try other.sendBytes([1, 2], to: socket.localAddress))
        #expect(try waiter.join() == 2)
    }

    @Test func moreMakesOneDatagram() throws {
        let pair = try #require(try DatagramKind.udp.pair())
        try pair.other.connect(to: pair.one.localAddress)
        #expect(try pair.other.sendBytes([1], options: .more))
        #expect(try pair.other.sendBytes([2], options: .more))
        #expect(try pair.one.receiveNow() == nil)
        #expect(try pair.other.sendBytes([3]))
        #expect(try pair.one.next().bytes == [1, 2, 3])
    }
}

@Suite struct TransferOptionTests {
    /// The library has the kernel's numbers.
    @Test func flagsAreThoseOfTheHeader() {
        #expect(ReceiveOptions.peek.rawValue == CInt(MSG_PEEK))
        #expect(ReceiveOptions.withoutWaiting.rawValue == CInt(MSG_DONTWAIT))
        #expect(ReceiveOptions.waitAll.rawValue == CInt(MSG_WAITALL))
        #expect(SendOptions.withoutWaiting.rawValue == CInt(MSG_DONTWAIT))
        #expect(SendOptions.more.rawValue == CInt(MSG_MORE))
    }
}
