import CSocketExtras
import Foundation
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("192.0.2.255", "192.0.2.255:80"), ("0.0.0.0", "0.0.0.0:80"),
        ("::1", "[::1]:80"), ("2001:db8::1", "[2001:db8::1]:80"), ("2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:80"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"), ("::", "[::]:80"),
    ])
    func numericAddressIsReadAndWritten(_ text: String, _ description: String) throws {
        let address = try #require(SocketAddress(numeric: text, port: 80))
        #expect(address.description == description)
        #expect(address.port == 80)
        #expect(address.family == (description.hasPrefix("[") ? AF_INET6 : AF_INET))
    }

    @Test(arguments: ["", "localhost", "127.0.0", "127.0.0.256", "127.0.0.1:80", "[::1]", "::g", "1:2:3", " 127.0.0.1"])
    func everythingElseIsRefused(_ text: String) {
        #expect(SocketAddress(numeric: text, port: 80) == nil)
    }

    @Test func equalityKnowsAddressAndPort() {
        #expect(SocketAddress.loopback(port: 80) == SocketAddress(numeric: "127.0.0.1", port: 80))
        #expect(SocketAddress.loopback(port: 80) != .loopback(port: 81))
        #expect(SocketAddress.loopback6(port: 80) == SocketAddress(numeric: "::1", port: 80))
        #expect(SocketAddress.loopback(port: 80) != .loopback6(port: 80))
    }

    @Test func kernelReadsTheAddressAsWritten() throws {
        let address = try #require(SocketAddress(numeric: "127.1.2.3", port: 0))
        let bound = try Listener(address).address
        let port = try #require(bound.port)
        #expect(port != 0)
        #expect(bound.description == "127.1.2.3:\(port)")
    }

    @Test(.enabled(if: hasIPv6, whyNoIPv6))
    func kernelReadsIPv6AsWritten() throws {
        let bound = try Listener(.loopback6()).address
        let port = try #require(bound.port)
        #expect(port != 0)
        #expect(bound == .loopback6(port: port))
    }

    // MARK: Scope

    @Test(.enabled(if: loopbackIndex != 0, "there is no interface lo here"))
    func scopeIsReadByNameAndByIndex() throws {
        let named = try #require(SocketAddress(numeric: "fe80::1%lo", port: 80))
        #expect(named.scope == loopbackIndex)
        #expect(named.description == "[fe80::1%lo]:80")
        #expect(named == SocketAddress(numeric: "fe80::1%\(loopbackIndex)", port: 80))
        #expect(named != SocketAddress(numeric: "fe80::1", port: 80))
    }

    @Test func scopeWithoutAnInterfaceIsANumber() throws {
        let address = try #require(SocketAddress(numeric: "fe80::1%4294967295", port: 80))
        #expect(address.scope == .max)
        #expect(address.description == "[fe80::1%4294967295]:80")
        let none = try #require(SocketAddress(numeric: "fe80::1%0", port: 80))
        #expect(none.scope == 0)
        #expect(none.description == "[fe80::1]:80")
        #expect(SocketAddress.loopback().scope == 0)
    }

    @Test(arguments: [
        "fe80::1%", "fe80::1%4294967296", "fe80::1%-1", "fe80::1%+1", "fe80::1% 1", "fe80::1%no-such-thing",
        "fe80::1%lo%lo",
        "fe80::1%lo\0", "127.0.0.1%lo", "127.0.0.1%1", "127.0.0.1\0", "::1\0", "127.0.0.1\0x", "%1", "::1%l\0o",
    ])
    func scopeThatIsNoneIsRefused(_ text: String) {
        #expect(SocketAddress(numeric: text, port: 80) == nil)
    }

    @Test func linkLocalAddressWorksWithItsScopeOnly() throws {
        guard let local = linkLocalAddress() else {
            print("skipped: no interface has a link-local address here (/proc/net/if_inet6)")
            return
        }
        let address = try #require(SocketAddress(numeric: local, port: 0))
        let listener = try Listener(address)
        let bound = try listener.address
        let port = try #require(bound.port)
        #expect(bound.description == "[\(local)]:\(port)")
        let client = try StreamSocket(for: bound, .blocking).connect(to: bound)
        var peer: SocketAddress?
        let server = try acceptNext(from: listener, peer: &peer)
        #expect(try peer == client.localAddress)
        #expect(peer?.scope == address.scope)
        #expect(try server.localAddress == bound)

        let bare = try #require(SocketAddress(numeric: String(local.prefix { $0 != "%" }), port: 0))
        #expect(throws: Errno.invalidArgument) { try StreamSocket(for: bare, .blocking).bind(to: bare) }
    }

    // MARK: Both families

    @Test(.enabled(if: hasIPv6 && takesBothFamilies, "IPv6 sockets take no IPv4 here (net.ipv6.bindv6only)"))
    func listenerOfBothFamiliesNamesIPv4PeersByTheirMapping() throws {
        let any = try #require(SocketAddress(numeric: "::", port: 0))
        let listener = try Listener(any)
        let port = try #require(listener.address.port)
        #expect(try listener.address.description == "[::]:\(port)")
        let address = SocketAddress.loopback(port: port)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        var peer: SocketAddress?
        let server = try acceptNext(from: listener, peer: &peer)
        let clientPort = try #require(client.localAddress.port)
        #expect(peer?.description == "[::ffff:127.0.0.1]:\(clientPort)")
        #expect(try server.peerAddress == peer)
        #expect(try server.localAddress.description == "[::ffff:127.0.0.1]:\(port)")
    }

    @Test(.enabled(if: hasIPv6, whyNoIPv6))
    func listenerOfOneFamilyRefusesTheOther() throws {
        let any = try #require(SocketAddress(numeric: "::", port: 0))
        let listener = try Listener(any, [.ipv6Only])
        let port = try #require(listener.address.port)
        #expect(try listener.address.description == "[::]:\(port)")
        let address = SocketAddress.loopback(port: port)
        #expect(throws: Errno.connectionRefused) {
            try StreamSocket(for: address, .blocking).connect(to: address).close()
        }
    }

    // MARK: Other families

    /// A socket of a family that has no place here keeps its address, and is not taken for one of IPv4.
    @Test func addressOfAnUnknownFamilyIsNamedAsSuch() throws {
        let number = try systemCall { socket(AF_NETLINK, CInt(SOCK_RAW.rawValue), 0) }
        let netlink = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        let address = try SocketAddress.local(of: netlink.descriptor)
        #expect(address.family == AF_NETLINK)
        #expect(address.port == nil)
        // sockaddr_nl after its family: two bytes, then the port and the groups.
        #expect(address.description == "family 16: " + String(repeating: "0", count: 20))
        #expect(throws: Errno.self) { try StreamSocket(for: .loopback(), .blocking).bind(to: address) }
    }

    @Test func whatIsNoSocketHasNoAddress() throws {
        let pipe = try TestSupport.Pipe()
        #expect(throws: Errno.notSocket) { try SocketAddress.local(of: pipe.reader) }
        #expect(throws: Errno.notSocket) { try SocketAddress.peer(of: pipe.reader) }
        #expect(throws: Errno.badFileDescriptor) { try SocketAddress.local(of: BorrowedDescriptor(rawValue: -1)) }
    }
}

private let hasIPv6 = (try? Listener(.loopback6()).address) != nil
private let whyNoIPv6: Comment = "::1 is not configured here"
private let takesBothFamilies =
    (try? String(contentsOfFile: "/proc/sys/net/ipv6/bindv6only", encoding: .utf8).hasPrefix("0")) == true
private let loopbackIndex = if_nametoindex("lo")

/// A link-local address with its interface, as text; nil if there is none that can be bound to.
private func linkLocalAddress() -> String? {
    guard let table = try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8) else { return nil }
    for line in table.split(separator: "\n") {
        let fields = line.split(separator: " ")
        // Scope 20 is the link.
        guard fields.count == 6, fields[3] == "20" else { continue }
        let groups = stride(from: 0, to: 32, by: 4).map { fields[0].dropFirst($0).prefix(4) }
        let text = "\(groups.joined(separator: ":"))%\(fields[5])"
        guard let address = SocketAddress(numeric: text, port: 0), (try? Listener(address).address) != nil else {
            continue
        }
        return String(address.description.dropFirst().prefix { $0 != "]" })
    }
    return nil
}
