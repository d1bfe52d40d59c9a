import CTestSupport
import Foundation
import Glibc
import LinuxSockets
import TestSupport
import Testing

@testable import Meters

/// What is read of interfaces: of this machine's, and of folders and tables that are made up.
@Suite struct NetworkLinkTests {
    private func loopbackLink() throws -> NetworkLink {
        try #require(NetworkLink(reaching: .loopback(port: 80)))
    }

    @Test func loopbackIsWhatTheKernelSays() throws {
        let link = try loopbackLink()
        #expect(link.isLoopback && link.driver == nil && link.speedMbitPerS == nil)
        #expect(link.mtuBytes.map(String.init) == firstLine("/sys/class/net/\(link.name)/mtu"))
        guard link.isVirtual != nil else { return }
        #expect(link.isVirtual == true && link.interruptProcessors == [])
        #expect(link.receiveQueues == 1 && link.transmitQueues == 1)
        #expect(link.text == "\(link.name);mtu=\(link.mtuBytes ?? 0);queues=1/1")
    }

    @Test func whatLoopbackOffloadsIsKnown() throws {
        // Loopback never has a card that puts segments together, and sums nothing up since nothing gets lost.
        let offloads = try #require(try loopbackLink().offloads)
        #expect(offloads.contains("tx-checksum") && !offloads.contains("lro"))
        #expect(offloads.allSatisfy { name in NetworkLink.offloadNames.contains { $0.name == name } })
    }

    @Test func addressesOfThisHostAreReachedOverLoopback() throws {
        let name = try loopbackLink().name
        for address in [SocketAddress(numeric: "127.0.0.9", port: 0), .loopback6(port: 1)] {
            #expect(InterfaceTable.read().interface(reaching: try #require(address))?.name == name)
        }
        for interface in InterfaceTable.read().interfaces where interface.isUp {
            guard let host = interface.hosts.first, let own = SocketAddress(numeric: host, port: 7) else { continue }
            #expect(InterfaceTable.read().interface(reaching: own)?.name == name, "\(host) of \(interface.name)")
        }
        #expect(NetworkLink(reaching: try .unix(path: "/tmp/none")) == nil)
    }

    @Test func itSurvivesJSONAndSaysWhatIsKnown() throws {
        var link = NetworkLink(name: "eth0")
        #expect(link.text == "eth0" && link.summary == "nothing is known of it")
        link.driver = "virtio_net"
        (link.mtuBytes, link.speedMbitPerS, link.receiveQueues, link.transmitQueues) = (1500, 10_000, 2, 4)
        link.offloads = NetworkLink.offloads(
            of: ["rx-gro", "tx-tcp6-segmentation", "tx-generic-segmentation", "rx-checksum", "rx-vlan-filter"])
        #expect(link.text == "eth0;driver=virtio_net;mtu=1500;speed=10000;queues=2/4;offloads=tso,gso,gro")
        let encoder = JSONEncoder()
        let decoder = JSONDecoder()
        (encoder.keyEncodingStrategy, decoder.keyDecodingStrategy) = (.convertToSnakeCase, .convertFromSnakeCase)
        #expect(try decoder.decode(NetworkLink.self, from: encoder.encode(link)) == link)
    }

    // MARK: Folders

    /// A folder as `/sys/class/net` is, with a card of two queues, and one as `/proc`.
    private func withFolders(_ body: (_ net: String, _ proc: String) throws -> Void) throws {
        let root = TemporaryFile()
        defer { try? FileManager.default.removeItem(atPath: root.path + ".d") }
        let (net, proc) = ("\(root.path).d/net", "\(root.path).d/proc")
        func write(_ path: String, _ text: String) throws {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            try FileManager.default.createDirectory(atPath: "/" + folder, withIntermediateDirectories: true)
            try (text + "\n").write(toFile: path, atomically: false, encoding: .utf8)
        }
        for (queue, mask) in [("rx-0", "00000000,00000003"), ("rx-1", "00000001,00000000")] {
            try write("\(net)/eth7/queues/\(queue)/rps_cpus", mask)
        }
        try write("\(net)/eth7/queues/tx-0/tx_timeout", "0")
        try write("\(net)/eth7/ifindex", "2")
        try write("\(root.path).d/devices/virtio3/uevent", "")
        try FileManager.default.createSymbolicLink(
            atPath: "\(net)/eth7/device", withDestinationPath: "../../devices/virtio3")
        try FileManager.default.createSymbolicLink(
            atPath: "\(root.path).d/devices/virtio3/driver", withDestinationPath: "/drivers/virtio_net")
        try write(
            proc + "/interrupts",
            """
                       CPU0       CPU1
             40:          0          0 PCI-MSIX-0000:00:04.0   0-edge      virtio3-config
             41:       4272          0 PCI-MSIX-0000:00:04.0   1-edge      virtio3-input.0
             42:          0       6833 PCI-MSIX-0000:00:04.0   2-edge      virtio3-output.0
             43:          0       6833 PCI-MSIX-0000:00:05.0   2-edge      virtio33-input.0
            LOC:     231242     246056   Local timer interrupts
            """)
        for (number, list) in [(40, "9"), (41, "0-1"), (42, "4"), (43, "7")] {
            try write("\(proc)/irq/\(number)/smp_affinity_list", list)
        }
        try write("\(proc)/irq/41/effective_affinity_list", "1")
        try body(net, proc)
    }

    @Test func queuesAndInterruptsAreThoseOfTheDevice() throws {
        try withFolders { net, proc in
            let folder = try #require(InterfaceFolder(name: "eth7", root: net, proc: proc, own: [2: "eth7"]))
            var link = NetworkLink(name: "eth7")
            link.describe(folder)
            #expect(link.isVirtual == false && link.driver == "virtio_net")
            #expect(link.receiveQueues == 2 && link.transmitQueues == 1)
            #expect(link.interruptProcessors == [1, 4])
            #expect(link.steeringProcessors == [0, 1, 32])
        }
    }

    @Test func foldersOfAnotherNamespaceSayNothing() throws {
        try withFolders { net, proc in
            #expect(InterfaceFolder(name: "eth7", root: net, proc: proc, own: [2: "eth8"]) == nil)
            #expect(InterfaceFolder(name: "eth7", root: net, proc: proc, own: [2: "eth7", 3: "a"]) == nil)
            #expect(InterfaceFolder(name: "eth9", root: net, proc: proc, own: nil) == nil)
        }
    }

    @Test func strangeFilesAreNoGuess() {
        #expect(InterfaceFolder.processors(mask: "x") == nil && InterfaceFolder.processors(mask: "") == nil)
        #expect(InterfaceFolder.processors(mask: "80000000,00000001") == [0, 63])
        #expect(InterfaceFolder.interrupts([]) == [])
        let shared = InterfaceFolder.interrupts(["   CPU0", "  9:   1  IO-APIC  9-fasteoi   acpi, eth0-rx"])
        #expect(shared.map(\.number) == [9] && shared[0].names.contains("eth0-rx"))
    }

    // MARK: A pair of interfaces

    @Test func aPairOfInterfacesIsFoundByItsPeersAddress() throws {
        let isAllowed =
            isInstalled("ip")
            && succeeds(["unshare", "--net", "true"], need: "a network of one's own takes root")
        guard isAllowed else { return }
        try onOwnThread {
            #expect(c_leave_network() == 0)
            let script = """
                ip link set lo up && ip link add va type veth peer name vb && ip addr add 10.9.0.1/24 dev va &&
                ip link set va mtu 1400 up && ip link set vb up
                """
            guard succeeds(["sh", "-c", script], need: "this kernel makes no veth pairs") else { return }
            let peer = NetworkLink(reaching: try #require(SocketAddress(numeric: "10.9.0.2", port: 80)))
            let own = NetworkLink(reaching: try #require(SocketAddress(numeric: "10.9.0.1", port: 80)))
            #expect(peer?.name == "va" && peer?.driver == "veth" && peer?.mtuBytes == 1400)
            #expect(peer?.text.hasPrefix("va;driver=veth;mtu=1400;speed=10000") == true, "\(peer?.text ?? "")")
            // `/sys` still shows the namespace that this thread has left.
            #expect(peer?.receiveQueues == nil && peer?.interruptProcessors == nil && peer?.isVirtual == nil)
            #expect(own?.name == "lo")
            #expect(Set(NetworkLink.all().map(\.name)) == ["lo", "va", "vb"] && NetworkLink.all().first?.name == "lo")
            #expect(Set(NetworkCounters.read().interfaces.keys) == ["lo", "va", "vb"])
        }
    }
}
