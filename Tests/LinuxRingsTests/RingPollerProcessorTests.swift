import Foundation
import Glibc
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// Pollers on processors that there are not, that are off, or that the process may not use.
@Suite(.enabled(if: pollersAvailable, whyNoPollers)) struct RingPollerProcessorTests {
    /// Processors that are off, as far as this machine has such, and numbers that no processor has.
    private static let missing: [UInt32] = {
        let places = "/sys/devices/system/cpu/"
        func last(_ file: String) -> UInt32? {
            guard let text = try? String(contentsOfFile: places + file, encoding: .utf8) else { return nil }
            return text.split(whereSeparator: { !$0.isNumber }).last.flatMap { UInt32($0) }
        }
        // The file names those, too, that the machine could never have.
        let possible = last("possible") ?? 0
        let off = last("offline").flatMap { $0 <= possible ? $0 : nil }
        return [off, possible + 1, 100_000, .max].compactMap { $0 }
    }()

    @Test(arguments: missing) func whereNoneIsOnItIsRefused(_ processor: UInt32) {
        let poller = SubmissionPoller(processor: processor)
        #expect(failure { () throws(Errno) in try Ring(entries: 8, poller: poller) } == .invalidArgument)
    }

    /// Kernels before took any processor that was on.
    @Test(
        .enabled(
            if: ringCapabilities?.features.contains(.minimumWait) == true, "the look at the cpuset needs Linux 6.12"),
        .enabled(if: ProcessorSet.isAvailable, "cpusets can be made by root alone, of two processors or more"))
    func outsideOfTheCpusetItIsRefused() async {
        // A process of its own, because all of its threads are to be in the set.
        await #expect(processExitsWith: .success) {
            let set = try ProcessorSet()
            defer { set.remove() }
            let (inside, outside) = (SubmissionPoller(processor: 0), SubmissionPoller(processor: 1))
            try set.enter()
            let refused = failure { () throws(Errno) in try Ring(entries: 8, poller: outside) }
            let allowed = failure { () throws(Errno) in try Ring(entries: 8, poller: inside) }
            try set.leave()
            #expect(refused == .invalidArgument && allowed == nil)
            #expect(failure { () throws(Errno) in try Ring(entries: 8, poller: outside) } == nil)
        }
    }
}

/// A cpuset that has processor 0 alone (`cpuset(7)`), in the hierarchy that this machine has.
private struct ProcessorSet {
    private let parent: String
    private let path: String

    static let isAvailable: Bool = {
        guard let set = try? ProcessorSet() else { return false }
        set.remove()
        return true
    }()

    init() throws {
        let version1 = "/sys/fs/cgroup/cpuset"
        let isVersion1 = FileManager.default.fileExists(atPath: version1 + "/cpuset.cpus")
        parent = isVersion1 ? version1 : "/sys/fs/cgroup"
        path = "\(parent)/poller-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let all = try String(
            contentsOfFile: parent + (isVersion1 ? "/cpuset.cpus" : "/cpuset.cpus.effective"), encoding: .utf8)
        guard all.hasPrefix("0-") || all.hasPrefix("0,1") else { throw Errno.noSuchAddressOrDevice }
        guard mkdir(path, 0o755) == 0 else { throw Errno(rawValue: errno) }
        do {
            try write("0", to: path + "/cpuset.cpus")
            if isVersion1 {
                try write(String(contentsOfFile: parent + "/cpuset.mems", encoding: .utf8), to: path + "/cpuset.mems")
            }
        } catch {
            remove()
            throw error
        }
    }

    func enter() throws { try write("\(getpid())", to: path + "/cgroup.procs") }

    func leave() throws { try write("\(getpid())", to: parent + "/cgroup.procs") }

    func remove() { rmdir(path) }

    /// With one write(2), as these files want it.
    private func write(_ text: String, to path: String) throws {
        let file = try FileDescriptor.open(path, .writeOnly)
        defer { try? file.close() }
        _ = try file.writeAll(text.utf8)
    }
}
