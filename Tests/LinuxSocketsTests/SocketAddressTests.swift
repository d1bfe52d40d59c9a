import Glibc
import LinuxSockets
import SystemPackage
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
        #expect(bound.port != 0)
        #expect(bound.description == "127.1.2.3:\(bound.port)")
    }

    @Test(.enabled(if: hasIPv6, "::1 is not configured here"))
    func kernelReadsIPv6AsWritten() throws {
        let bound = try Listener(.loopback6()).address
        #expect(bound == .loopback6(port: bound.port))
        #expect(bound.port != 0)
    }
}

private let hasIPv6 = (try? Listener(.loopback6()).address) != nil
