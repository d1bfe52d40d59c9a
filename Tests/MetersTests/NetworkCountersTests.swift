import Glibc
import LinuxDescriptors
import LinuxSockets
import TestSupport
import Testing

@testable import Meters

/// Counters of the protocols and interfaces, as text and as this kernel has them.
@Suite struct NetworkCountersTests {
    private let snmp = """
        Ip: Forwarding DefaultTTL
        Ip: 1 64
        Tcp: RtoAlgorithm MaxConn OutSegs RetransSegs InErrs
        Tcp: 1 -1 900 17 0
        Udp: InDatagrams RcvbufErrors SndbufErrors
        Udp: 10 3 1
        """.split(separator: "\n")
    private let netstat = """
        TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPBacklogDrop TCPRcvQDrop
        TcpExt: 0 4 5 6 7
        IpExt: InNoRoutes
        IpExt: 0
        """.split(separator: "\n")
    private let wanted = NetworkCounters.wanted.union(["TcpExt ListenOverflows"])

    private func counters() -> ProtocolCounters {
        var counters = ProtocolCounters()
        counters.addPairs(snmp, wanted)
        counters.addPairs(netstat, wanted)
        counters.addSingles(["Udp6InDatagrams       \t9", "Udp6RcvbufErrors          2", "broken"], wanted)
        return counters
    }

    @Test func namesAreReadWithTheirValues() {
        let counters = counters()
        #expect(counters["Tcp RetransSegs"] == 17 && counters["TcpExt ListenOverflows"] == 4)
        #expect(counters["Udp6RcvbufErrors"] == 2)
        // Not asked for, and not counted by this kernel.
        #expect(counters["Tcp OutSegs"] == nil && counters["TcpExt BeyondWindow"] == nil)
    }

    @Test func brokenPairsAreLeftOut() {
        var counters = ProtocolCounters()
        counters.addPairs(["Tcp: RetransSegs InErrs", "Tcp: 5", "Udp: RcvbufErrors", "TcpExt: 7", ""], wanted)
        #expect(counters == ProtocolCounters())
    }

    @Test func dropsOfSocketsAreAddedUpByTheirPlace() {
        let network = NetworkCounters(counters(), folder: "/nowhere")
        #expect(network.retransmissions == 17 && network.softnet == nil && network.interfaces.isEmpty)
        #expect(
            network.sockets == [
                "listen queue": 5, "TCP receive buffer": 7, "TCP socket backlog": 6, "UDP receive buffer": 5,
                "UDP send buffer": 1,
            ])
    }

    @Test func aDropIsTakenFromTwoReadings() {
        var start = NetworkCounters(counters(), folder: "/nowhere")
        (start.softnet, start.interfaces) = (10, ["eth0": 100, "eth1": 5])
        var end = start
        (end.retransmissions, end.softnet, end.interfaces) = (20, 12, ["eth0": 105, "eth1": 9, "eth2": 7])
        end.sockets["UDP receive buffer"] = 14
        let run = end.since(start)
        #expect(run.retransmissions == 3 && run.interfaces == ["eth0": 5, "eth1": 4] && run.softnet == 2)
        // The two that found the backlog full are among the five of the interface.
        let drops = run.drops(on: "eth0") ?? []
        #expect(drops.map(\.drop) == [.datagramReceive, .interface, .softnet] && drops.map(\.count) == [9, 3, 2])
        #expect(run.drops(on: nil)?.map(\.count) == [9, 2])
        #expect(start.since(start).drops(on: "eth0")?.isEmpty == true)
        #expect(NetworkCounters().drops(on: "eth0") == nil)
        // What is not known at both ends has not changed.
        #expect(end.since(NetworkCounters()).retransmissions == nil && end.since(NetworkCounters()).sockets.isEmpty)
    }

    @Test func tablesAreReadByTheirColumns() {
        let lines = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo: 100 2 0 0 0 0 0 0 100 2 0 0 0 0 0 0
              eth0:900 20 1 2 1 0 0 0 800 10 4 8 0 0 0 0
            """.split(separator: "\n")
        #expect(NetworkCounters.interfaces(lines) == ["lo": 0, "eth0": 15])
        #expect(NetworkCounters.softnet(["0000000a 00000002 0 0", "00000001 00000010 0"]) == 18)
        #expect(NetworkCounters.softnet([]) == nil)
    }

    /// A socket that nobody reads has room for a few datagrams, and drops the others.
    @Test func aFullBufferIsCounted() throws {
        let receiver = try DatagramSocket(boundTo: .loopback(), .nonblocking, [.receiveBuffer(bytes: 2_000)])
        let sender = try DatagramSocket(for: .loopback())
        try sender.connect(to: try receiver.localAddress)
        let before = NetworkCounters.read()
        for _ in 0..<50 { _ = try sender.send([UInt8](repeating: 1, count: 1_000).span.bytes) }
        let drops = NetworkCounters.read().since(before).drops(on: "lo") ?? []
        let dropped = drops.first { $0.drop == .datagramReceive }?.count ?? 0
        #expect(dropped >= 30, "\(drops)")
        withExtendedLifetime(receiver.descriptor.rawValue) {}
    }

    /// A socket that drops all that comes never acknowledges it.
    @Test func whatIsSentAgainIsCounted() throws {
        let listener = try loopbackListener()
        let sender = try connect(to: listener)
        let receiver = try acceptNext(from: listener)
        // One instruction, which is BPF_RET with 0, and the number of instructions with their place (SO_ATTACH_FILTER).
        let instruction: UInt64 = 0x06
        let isAttached = unsafe withUnsafePointer(to: instruction) { place in
            let program = (UInt(1), UInt(bitPattern: place))
            return unsafe withUnsafePointer(to: program) {
                unsafe setsockopt(
                    receiver.descriptor.rawValue, SOL_SOCKET, 26, $0, socklen_t(MemoryLayout<(UInt, UInt)>.size))
            }
        }
        #expect(isAttached == 0)
        let before = try #require(NetworkCounters.read().retransmissions)
        #expect(try sender.send([1, 2, 3]) == 3)
        #expect(eventually { NetworkCounters.read().retransmissions.map { $0 > before } ?? false })
    }

    @Test func thisHostIsRead() throws {
        let counters = KernelCounters.read()
        #expect(counters.network.retransmissions != nil && counters.network.interfaces["lo"] != nil)
        #expect(counters.network.softnet != nil)
        #expect(Set(counters.network.sockets.keys).isSuperset(of: ["listen queue", "UDP receive buffer"]))
    }
}
