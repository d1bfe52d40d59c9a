import Foundation
import Meters
import Testing

@Suite struct TopologyTests {
    /// A tree as sysfs has it.
    private func tree(_ files: [String: String]) throws -> URL {
        let root = FileManager.default.temporaryDirectory.appending(path: "topology-\(UUID().uuidString)")
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return root
    }

    @Test func coresAndNodesAreRead() throws {
        let root = try tree([
            "cpu/cpu0/topology/thread_siblings_list": "0,2\n", "cpu/cpu2/topology/thread_siblings_list": "0,2\n",
            "cpu/cpu1/topology/thread_siblings_list": "1\n", "cpu/cpufreq/boost": "1\n", "node/node0/cpulist": "0-1\n",
            "node/node1/cpulist": "2-3,5\n", "node/possible": "0-1\n",
        ])
        defer { try? FileManager.default.removeItem(at: root) }
        let topology = ProcessorTopology.read(root: root.path())
        #expect(topology.siblings == [0: [0, 2], 1: [1], 2: [0, 2]])
        #expect(topology.nodes == [0: 0, 1: 0, 2: 1, 3: 1, 5: 1])
    }

    @Test func whatIsNotThereOrNoListIsUnknown() throws {
        #expect(ProcessorTopology.read(root: "/nonexistent") == ProcessorTopology())
        let root = try tree([
            "cpu/cpu0/topology/thread_siblings_list": "9-1\n", "cpu/cpu1/topology/thread_siblings_list": "x\n",
            "node/node0/cpulist": "1-2-3\n", "node/node1/cpulist": "\n",
        ])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(ProcessorTopology.read(root: root.path()) == ProcessorTopology())
    }
}
