import Foundation

/// Which processors share a core, and their memory nodes; empty where the kernel does not report them.
package struct ProcessorTopology: Sendable, Equatable {
    /// The hardware threads of each processor's core, itself included.
    package var siblings: [Int: Set<Int>] = [:]
    /// The memory node of each processor.
    package var nodes: [Int: Int] = [:]

    /// A machine of which nothing is known.
    package init() {}

    /// Reads it from sysfs.
    ///
    /// - Parameter root: the folder that has `cpu` and `node`.
    package static func read(root: String = "/sys/devices/system") -> ProcessorTopology {
        var topology = ProcessorTopology()
        for processor in numbers(of: "cpu", in: root + "/cpu") {
            let file = "\(root)/cpu/cpu\(processor)/topology/thread_siblings_list"
            if let list = firstLine(file).flatMap(processors) { topology.siblings[processor] = Set(list) }
        }
        for node in numbers(of: "node", in: root + "/node") {
            let list = firstLine("\(root)/node/node\(node)/cpulist").flatMap(processors) ?? []
            for processor in list { topology.nodes[processor] = node }
        }
        return topology
    }

    /// The N of every `nameN` in a folder.
    private static func numbers(of name: String, in folder: String) -> [Int] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return entries.filter { $0.hasPrefix(name) }.compactMap { Int($0.dropFirst(name.count)) }.sorted()
    }

    /// A list as the kernel writes it, `0-3,8`; nil if it is none.
    static func processors(_ list: String) -> [Int]? {
        var result: [Int] = []
        for part in list.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last, last < 1 << 16
            else { return nil }
            result += first...last
        }
        return result
    }
}
