import Foundation
import Testing

@testable import Meters

@Suite struct ProcTests {
    @Test func theLimitOfThreadsIsThatOfAnyGroupAround() throws {
        #expect(
            ThreadLimit.files(ofGroup: "0::/a/b") == [
                "/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/a/pids.max", "/sys/fs/cgroup/a/b/pids.max",
            ])
        #expect(ThreadLimit.files(ofGroup: "8:pids:/") == ["/sys/fs/cgroup/pids/pids.max"])
        #expect(ThreadLimit.files(ofGroup: "4:memory:/a").isEmpty)
        #expect(try #require(ThreadLimit.read()).threads > 1)
    }

    @Test func fieldsAreReadByTheirFirstNumber() {
        let fields = ProcFields("Name:\tbench\nVmPeak:\t  123 kB\nvoluntary_ctxt_switches:\t7\nno colon 5\n")
        #expect(fields["VmPeak"] == 123)
        #expect(fields["voluntary_ctxt_switches"] == 7)
        #expect(fields["Name"] == nil)
        #expect(fields["missing"] == nil)
    }

    @Test func listenOverflowsAreTheKernels() throws {
        /// The column under the name, in the second of the two `TcpExt` lines.
        func overflows() throws -> UInt64 {
            let text = try String(contentsOfFile: "/proc/net/netstat", encoding: .utf8)
            let lines = text.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0[0] == "TcpExt:" }
            let column = try #require(lines[0].firstIndex(of: "ListenOverflows"))
            return try #require(UInt64(lines[1][column]))
        }
        let before = try overflows()
        let read = try #require(KernelCounters.read().listenOverflows)
        #expect(try (before...overflows()).contains(read))
    }

    @Test func cpuTimesGrow() {
        let before = KernelCounters.read()
        var after = before
        while after.ownNanoseconds < before.ownNanoseconds + 50_000_000 { after = .read() }
        let busy = [before.busyNanoseconds ?? 0, after.busyNanoseconds ?? 0]
        #expect(busy[0] > 0)
        // A tick is 10 ms: 50 ms of this process alone are seen.
        #expect(busy[1] > busy[0])
    }

    @Test func theForeignShareIsWhatOthersUsedOfTheMachine() {
        func share(busy: UInt64, own: UInt64, seconds: Double = 1, processors: Int = 2) -> Double? {
            KernelCounters.foreignShare(
                from: KernelCounters(listenOverflows: 0, busyNanoseconds: 1000, ownNanoseconds: 500),
                to: KernelCounters(listenOverflows: 0, busyNanoseconds: 1000 + busy, ownNanoseconds: 500 + own),
                seconds: seconds, processors: processors)
        }
        #expect(share(busy: 1_500_000_000, own: 500_000_000) == 0.5)
        #expect(share(busy: 1_000_000_000, own: 1_000_000_000) == 0)
        #expect(share(busy: 500_000_000, own: 900_000_000) == 0)
        #expect(share(busy: 9_000_000_000, own: 0) == 1)
        #expect(share(busy: 1, own: 0, seconds: 0) == 0)
        let unknown = KernelCounters(listenOverflows: nil, busyNanoseconds: nil, ownNanoseconds: 1)
        #expect(KernelCounters.foreignShare(from: unknown, to: unknown, seconds: 1) == nil)
        #expect(unknown.overflows(since: unknown) == nil)
    }
}

@Suite struct MachineFactsTests {
    private let facts = MachineFacts.read()

    @Test func theyAreThisMachines() throws {
        let release = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        #expect(facts.kernel == release.trimmingCharacters(in: .whitespacesAndNewlines))
        #expect(facts.memoryBytes > 1 << 24)
        #expect(facts.processors >= Affinity.available().count)
        #expect(!facts.architecture.isEmpty && !facts.processor.isEmpty && !facts.clockSource.isEmpty)
        #expect((facts.somaxconn ?? 1) > 0 && facts.descriptorLimit > 0)
    }

    @Test func theFingerprintIsStableAndGivesNothingAway() {
        #expect(facts.machineID == MachineFacts.read().machineID)
        #expect(facts.machineID.contains("\(facts.processors)cpu"))
        #expect(facts.machineID.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") })
        if let secret = firstLine("/etc/machine-id"), !secret.isEmpty { #expect(!facts.machineID.contains(secret)) }
    }

    @Test func theySurviveJSON() throws {
        #expect(try JSONDecoder().decode(MachineFacts.self, from: JSONEncoder().encode(facts)) == facts)
    }
}
