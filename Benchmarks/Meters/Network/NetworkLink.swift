import Foundation
import LinuxDescriptors
package import LinuxSockets

/// What is known of a network interface over which a load goes. What cannot be read is nil, and never a guess.
package struct NetworkLink: Codable, Sendable, Equatable {
    /// What the interface is called in its network namespace.
    package var name: String
    /// True of loopback.
    package var isLoopback = false
    /// True of an interface without a device, such as loopback, `veth` and bridges.
    package var isVirtual: Bool?
    /// What drives it (`ethtool -i`).
    package var driver: String?
    /// The largest packet of IP, in bytes.
    package var mtuBytes: Int?
    /// In Mbit/s; nil of what has no speed, as loopback, and of what does not tell, as most virtual cards.
    package var speedMbitPerS: Int?
    /// Queues in use for what is received and what is sent.
    package var receiveQueues: Int?
    package var transmitQueues: Int?
    /// The processors that the interrupts of its queues go to, in order; empty of an interface that has none.
    package var interruptProcessors: [Int]?
    /// The processors over which the kernel spreads what was received (RPS), in order; empty where it does not.
    package var steeringProcessors: [Int]?
    /// What the interface, or the kernel once for many packets, does instead of the protocols: those of
    /// ``offloadNames`` that are on, in that order.
    package var offloads: [String]?

    /// The offloads that are looked for, by the names that `ethtool -K` knows, with the kernel's features (`ethtool -k`)
    /// of which one at least is on.
    static let offloadNames: [(name: String, features: Set<String>)] = [
        ("tso", ["tx-tcp-segmentation", "tx-tcp6-segmentation"]),
        ("gso", ["tx-generic-segmentation"]),
        ("gro", ["rx-gro"]),
        ("lro", ["rx-lro"]),
        ("rx-checksum", ["rx-checksum"]),
        ("tx-checksum", ["tx-checksum-ipv4", "tx-checksum-ipv6", "tx-checksum-ip-generic"]),
        ("rx-udp-gro-forwarding", ["rx-udp-gro-forwarding"]),
    ]

    /// An interface of which nothing else is known.
    package init(name: String) { self.name = name }

    /// Reads what the kernel tells the calling thread's network namespace of an interface.
    package static func read(_ interface: InterfaceTable.Interface) -> NetworkLink {
        var link = NetworkLink(name: interface.name)
        link.isLoopback = interface.isLoopback
        if let socket = try? DatagramSocket(for: .loopback()) {
            let requests = InterfaceRequests(socket: socket.descriptor, name: interface.name)
            link.mtuBytes = requests.mtuBytes
            link.driver = requests.driver
            link.speedMbitPerS = requests.speedMbitPerS
            link.offloads = requests.features.map(offloads(of:))
        }
        InterfaceFolder(name: interface.name).map { link.describe($0) }
        return link
    }

    /// Takes what a folder under `/sys/class/net` tells.
    mutating func describe(_ folder: InterfaceFolder) {
        isVirtual = folder.isVirtual
        receiveQueues = folder.receiveQueues
        transmitQueues = folder.transmitQueues
        interruptProcessors = folder.interruptProcessors
        steeringProcessors = folder.steeringProcessors
        if driver == nil { driver = folder.driver }
    }

    static func offloads(of features: Set<String>) -> [String] {
        offloadNames.filter { !$0.features.isDisjoint(with: features) }.map(\.name)
    }

    /// The interface over which what is sent to an address goes: loopback, where that is one of this machine's own.
    /// Nothing is sent to find it. Nil of a unix socket, and where no route is known.
    package init?(reaching address: SocketAddress, _ table: InterfaceTable = .read()) {
        guard let interface = table.interface(reaching: address) else { return nil }
        self = .read(interface)
    }

    /// Every interface that is up, loopback first.
    package static func all(_ table: InterfaceTable = .read()) -> [NetworkLink] {
        let up = table.interfaces.filter(\.isUp)
        return (up.filter(\.isLoopback) + up.filter { !$0.isLoopback }).map { read($0) }
    }

    /// In one line, as a column has it: `lo;mtu=65536;queues=1/1`, or
    /// `eth0;driver=virtio_net;mtu=1500;speed=10000;queues=2/2;offloads=tso,gso,gro`; what is not known is left out, and of
    /// loopback what it offloads. Checksums, which say little, are left to `run.json`.
    package var text: String {
        var parts = [name]
        if let driver { parts.append("driver=\(driver)") }
        if let mtuBytes { parts.append("mtu=\(mtuBytes)") }
        if let speedMbitPerS { parts.append("speed=\(speedMbitPerS)") }
        if let receiveQueues, let transmitQueues { parts.append("queues=\(receiveQueues)/\(transmitQueues)") }
        let named = (offloads ?? []).filter { !$0.hasSuffix("-checksum") }
        if !isLoopback, !named.isEmpty { parts.append("offloads=\(named.joined(separator: ","))") }
        return parts.joined(separator: ";")
    }
}
