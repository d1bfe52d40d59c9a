import Foundation
import Glibc

/// What `/sys/class/net` tells of an interface, and `/proc` of its interrupts.
struct InterfaceFolder {
    let name: String
    private let folder: String
    private let interrupts: [Interrupt]
    private let irqFolder: String

    /// One line of `/proc/interrupts`.
    struct Interrupt: Equatable {
        var number: Int
        /// Who gets it: `eth0-rx-0`, `virtio3-tx`, `mlx5_comp0@pci:0000:03:00.0`; several where they share it.
        var names: [String]
    }

    /// Nil where the folders are those of another network namespace: `/sys` shows the one in which it was mounted, and a
    /// thread may have left that.
    ///
    /// - Parameters:
    ///   - root: the folder of all interfaces.
    ///   - proc: the folder that has `interrupts` and `irq`.
    ///   - own: the interfaces of the calling thread's namespace by their index; not compared if nil.
    init?(
        name: String, root: String = "/sys/class/net", proc: String = "/proc",
        own: [Int: String]? = InterfaceFolder.ownInterfaces
    ) {
        if let own {
            let shown = Self.entries(root).reduce(into: [Int: String]()) { table, entry in
                if let index = firstLine("\(root)/\(entry)/ifindex").flatMap({ Int($0) }) { table[index] = entry }
            }
            guard shown == own else { return nil }
        }
        self.name = name
        folder = "\(root)/\(name)"
        irqFolder = proc + "/irq"
        interrupts = Self.interrupts(readLines(proc + "/interrupts"))
        guard FileManager.default.fileExists(atPath: folder) else { return nil }
    }

    /// `if_nameindex(3)`.
    static var ownInterfaces: [Int: String] {
        guard let list = unsafe if_nameindex() else { return [:] }
        defer { unsafe if_freenameindex(list) }
        var table: [Int: String] = [:]
        var place = 0
        while unsafe list[place].if_index != 0, let text = unsafe list[place].if_name {
            unsafe table[Int(list[place].if_index)] = String(cString: text)
            place += 1
        }
        return table
    }

    /// The device's name, `virtio3` or `0000:03:00.0`; nil of an interface that has none.
    private var device: String? { Self.target("\(folder)/device") }

    var isVirtual: Bool { device == nil }

    var driver: String? { Self.target("\(folder)/device/driver") }

    var receiveQueues: Int? { queues("rx-").map(\.count) }

    var transmitQueues: Int? { queues("tx-").map(\.count) }

    private func queues(_ kind: String) -> [String]? {
        let found = Self.entries(folder + "/queues").filter { $0.hasPrefix(kind) }
        return found.isEmpty ? nil : found
    }

    /// Of all receive queues together.
    var steeringProcessors: [Int]? {
        guard let queues = queues("rx-") else { return nil }
        var found: Set<Int> = []
        for queue in queues {
            // A kernel without RPS has no file for it, which is not the same as off.
            guard let mask = firstLine("\(folder)/queues/\(queue)/rps_cpus").flatMap(Self.processors(mask:))
            else { return nil }
            found.formUnion(mask)
        }
        return found.sorted()
    }

    /// Where the interrupts of its queues really go, or may go where the kernel does not say. Those for changes of the
    /// device's configuration and for its events are left out.
    var interruptProcessors: [Int]? {
        guard let device else { return [] }
        var numbers = interrupts.filter { $0.names.contains { isOwn($0, device) } }.map(\.number)
        if numbers.isEmpty { numbers = Self.entries("\(folder)/device/msi_irqs").compactMap { Int($0) } }
        var found: Set<Int> = []
        for number in numbers {
            let lists = ["effective_affinity_list", "smp_affinity_list"].lazy.compactMap { file in
                firstLine("\(irqFolder)/\(number)/\(file)").flatMap(ProcessorTopology.processors)
            }
            guard let list = lists.first else { return nil }
            found.formUnion(list)
        }
        return found.isEmpty ? nil : found.sorted()
    }

    private func isOwn(_ interrupt: String, _ device: String) -> Bool {
        guard !["-config", "-event", "-control"].contains(where: interrupt.hasSuffix) else { return false }
        return interrupt == name || interrupt.hasPrefix(name + "-") || interrupt.hasPrefix(device + "-")
            || interrupt.hasSuffix(":" + device)
    }

    /// The lines that begin with a number; behind that a count for each processor, the chip, its own number, and names.
    static func interrupts(_ lines: [Substring]) -> [Interrupt] {
        let processors = lines.first?.split(separator: " ").count ?? 0
        return lines.dropFirst().compactMap { line in
            let words = line.split(separator: " ")
            guard let first = words.first, first.hasSuffix(":"), let number = Int(first.dropLast()) else { return nil }
            let names = words.dropFirst(1 + processors).flatMap { $0.split(separator: ",") }.map(String.init)
            return Interrupt(number: number, names: names)
        }
    }

    /// A mask as the kernel writes it: groups of 32 bits, the highest first, `00000000,00000003`; nil if it is none.
    static func processors(mask: String) -> [Int]? {
        let groups = mask.split(separator: ",", omittingEmptySubsequences: false).map { UInt32($0, radix: 16) }
        guard !groups.isEmpty, !groups.contains(nil) else { return nil }
        return groups.reversed().enumerated().flatMap { place, group in
            (0..<32).filter { (group ?? 0) & 1 << UInt32($0) != 0 }.map { place * 32 + $0 }
        }
    }

    private static func entries(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// The last part of what a link leads to.
    private static func target(_ link: String) -> String? {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: link)).flatMap {
            $0.split(separator: "/").last.map(String.init)
        }
    }
}
