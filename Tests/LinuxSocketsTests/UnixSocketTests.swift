import CSocketExtras
import Foundation
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct UnixSocketTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    // MARK: Names

    @Test func pathIsBoundPrintedAndConnectedTo() throws {
        let address = try SocketAddress.unix(path: folder.path + "/s")
        let listener = try Listener(address)
        #expect(try listener.address == address)
        #expect(try listener.address.description == "unix:\(folder.path)/s")
        #expect(try listener.address.unixPath == folder.path + "/s")
        #expect(try listener.address.port == nil)
        #expect(try listener.address.family == AF_UNIX)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        var peer: SocketAddress?
        let server = try acceptNext(from: listener, peer: &peer)
        #expect(peer == .unixUnnamed)
        #expect(peer?.description == "unix:")
        #expect(try server.peerAddress == .unixUnnamed)
        #expect(try server.localAddress == address)
        #expect(try client.peerAddress == address)
        #expect(try client.localAddress == .unixUnnamed)
        #expect(try client.send([1, 2]) == 2)
        #expect(try server.bytes() == [1, 2])
        try server.finishSending()
        #expect(try client.bytes() == [])
    }

    @Test func boundClientIsNamed() throws {
        let address = try SocketAddress.unix(path: folder.path + "/s")
        let own = try SocketAddress.unix(path: folder.path + "/client")
        let listener = try Listener(address)
        let socket = try StreamSocket(for: own, .blocking)
        try socket.bind(to: own)
        let client = try socket.connect(to: address)
        var peer: SocketAddress?
        let server = try acceptNext(from: listener, peer: &peer)
        #expect(peer == own)
        #expect(try server.peerAddress == own)
        try client.close()
    }

    @Test(arguments: [[], [0], Array("linux-events".utf8), [0, 255, 10, 0], [UInt8](repeating: 97, count: 100)])
    func abstractNameIsAnyBytes(_ name: [UInt8]) throws {
        // Other programs and tests share the namespace, so each name gets a suffix of its own.
        let unique = name + Array("\(getpid())".utf8)
        let address = try SocketAddress.unix(abstractName: unique)
        let listener = try Listener(address)
        #expect(try listener.address == address)
        #expect(try listener.address.abstractName == unique)
        #expect(try listener.address.unixPath == nil)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        #expect(try client.peerAddress == address)
        #expect(throws: Errno.addressInUse) { try Listener(address).close() }
        try listener.close()
        // It has no file, so it is free again.
        try Listener(address).close()
    }

    @Test func kernelChoosesAnAbstractName() throws {
        let listener = try Listener(.unixUnnamed)
        let address = try listener.address
        #expect(address.abstractName?.count == 5)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        #expect(try client.peerAddress == address)
        #expect(try listener.accept() != nil)
    }

    @Test func unboundSocketIsUnnamed() throws {
        let socket = try StreamSocket(for: .unixUnnamed, .blocking)
        #expect(try socket.localAddress == .unixUnnamed)
        #expect(throws: Errno.invalidArgument) {
            try StreamSocket(for: .unixUnnamed, .blocking).listen(backlog: 1).close()
        }
    }

    @Test func namesArePrintedOnOneLine() throws {
        #expect(try SocketAddress.unix(path: "/a b/ü").description == "unix:/a b/ü")
        #expect(try SocketAddress.unix(path: "/a\nb\u{85}").description == "unix:/a\\x0ab\\xc2\\x85")
        #expect(try SocketAddress.unix(abstractName: "x").description == "unix:@x")
        #expect(try SocketAddress.unix(abstractName: [0, 255, 97]).description == "unix:@\\x00\\xffa")
        #expect(try SocketAddress.unix(abstractName: "x") != SocketAddress.unix(path: "x"))
    }

    // MARK: The limit

    @Test func longestPathWorksAndOneMoreIsRefused() throws {
        let longest = folder.path + "/" + String(repeating: "a", count: 106 - folder.path.utf8.count)
        let address = try SocketAddress.unix(path: longest)
        #expect(longest.utf8.count == 107)
        let listener = try Listener(address)
        #expect(try listener.address == address)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        #expect(try client.peerAddress.unixPath == longest)
        for count in [1, 1 << 16] {
            let path = longest + String(repeating: "a", count: count)
            #expect(throws: Errno.fileNameTooLong) { try SocketAddress.unix(path: path) }
        }
    }

    @Test func longestAbstractNameWorksAndOneMoreIsRefused() throws {
        let name = Array("\(getpid())".utf8) + [UInt8](repeating: 0, count: 107 - "\(getpid())".utf8.count)
        let address = try SocketAddress.unix(abstractName: name)
        #expect(try Listener(address).address.abstractName == name)
        #expect(throws: Errno.fileNameTooLong) { try SocketAddress.unix(abstractName: name + [0]) }
    }

    @Test func whatWouldBeCutIsRefused() {
        #expect(throws: Errno.invalidArgument) { try SocketAddress.unix(path: "") }
        #expect(throws: Errno.invalidArgument) { try SocketAddress.unix(path: "/tmp/a\0b") }
    }

    /// Another program may have filled `sun_path` to its last byte, which leaves no zero.
    @Test func pathThatFillsItsFieldIsReadAndConnectedTo() throws {
        let path = folder.path + "/" + String(repeating: "a", count: 107 - folder.path.utf8.count)
        let bytes = Array(path.utf8)
        #expect(bytes.count == 108)
        var native = sockaddr_un()
        native.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &native.sun_path) { $0.copyBytes(from: bytes) }
        let socket = try StreamSocket(for: .unixUnnamed, .blocking)
        let result = withUnsafePointer(to: native) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.descriptor.rawValue, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
        let listener = try socket.listen(backlog: 1)
        let address = try listener.address
        #expect(address.unixPath == path)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        #expect(try client.peerAddress == address)
    }

    // MARK: Errors

    @Test func fileOutlivesItsSocket() throws {
        let address = try SocketAddress.unix(path: folder.path + "/s")
        try Listener(address).close()
        #expect(throws: Errno.connectionRefused) {
            try StreamSocket(for: address, .blocking).connect(to: address).close()
        }
        #expect(throws: Errno.addressInUse) { try Listener(address).close() }
        unlink(folder.path + "/s")
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try StreamSocket(for: address, .blocking).connect(to: address).close()
        }
        try Listener(address).close()
    }

    @Test func mistakesAreNamed() throws {
        let missing = try SocketAddress.unix(path: folder.path + "/none/s")
        #expect(throws: Errno.noSuchFileOrDirectory) { try Listener(missing).close() }
        let below = try SocketAddress.unix(path: "/dev/null/s")
        #expect(throws: Errno.notDirectory) { try Listener(below).close() }
        let unix = try SocketAddress.unix(path: folder.path + "/s")
        #expect(throws: Errno.addressFamilyNotSupported) {
            try StreamSocket(for: .loopback(), .blocking).bind(to: unix)
        }
        #expect(throws: Errno.invalidArgument) {
            try StreamSocket(for: .unixUnnamed, .blocking).connect(to: .loopback(port: 9)).close()
        }
        #expect(throws: Errno.invalidArgument) {
            try StreamSocket(for: .unixUnnamed, .blocking).connect(to: .unixUnnamed).close()
        }
        #expect(throws: Errno.notSupported) { try Listener(unix, [.noDelay]).close() }
    }

    @Test func fullQueueRefusesWhoDoesNotWait() throws {
        let full = try FullListener(folder)
        let address = try full.listener.address
        #expect(throws: Errno.wouldBlock) {
            try StreamSocket(for: address, .nonblocking).connect(to: address).close()
        }
        #expect(try full.listener.accept() != nil)
        try StreamSocket(for: address, .nonblocking).connect(to: address).close()
    }

    /// Nothing of an interrupted connect to a unix socket goes on, unlike one of TCP.
    @Test func signalsDoNotEndAConnectThatWaitsForTheQueue() throws {
        let full = try FullListener(folder)
        let address = try full.listener.address
        let waiter = TestThread {
            allowInterruption()
            let client = try StreamSocket(for: address, .blocking).connect(to: address)
            return try client.peerAddress
        }
        for _ in 0..<10 {
            try waiter.waitUntilBlocked()
            #expect(waiter.signal(interruption))
        }
        #expect(try full.listener.accept() != nil)
        #expect(try waiter.join() == address)
    }
}

/// A listener whose queue holds one connection, and that connection's client.
private struct FullListener: ~Copyable {
    let listener: Listener
    let client: Connection

    init(_ folder: Folder) throws {
        let address = try SocketAddress.unix(path: folder.path + "/s")
        let socket = try StreamSocket(for: address, .nonblocking)
        try socket.bind(to: address)
        let listener = try socket.listen(backlog: 0)
        client = try StreamSocket(for: address, .blocking).connect(to: address)
        self.listener = listener
    }
}

/// A folder of one test, removed with it. In `/tmp`, because a socket's path must be short.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/linux-events-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Errno(rawValue: errno) }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
