import Foundation

/// The state of this machine that affects measurements. `nil` is what this kernel does not report, or what cannot be
/// read here: nothing is concluded from it.
package struct MachineState: Codable, Sendable, Equatable {
    /// Processors that this process may run on.
    package var processors = 1
    /// Where threads are put, as the `pinning` column has it: `none`, or processors; nil without threads.
    package var pinning: String?
    /// Whether a hypervisor runs below this kernel.
    package var isGuest = false
    /// The frequency governor of the first processor; `none` where the kernel does not set the frequency.
    package var governor: String?
    /// Whether processors may exceed their nominal frequency for a while.
    package var turbo: Bool?
    /// Whether two hardware threads share a core.
    package var multithreading: Bool?
    /// Processors that the scheduler leaves alone (`isolcpus`), as the kernel lists them.
    package var isolated: String?
    /// Share of the processors that the hypervisor gave to others, 0 to 1.
    package var stealShare: Double?
    /// Share of the processors that other programs used, 0 to 1.
    package var foreignShare: Double?
    /// Share of the last ten seconds in which something runnable waited for a processor, 0 to 1.
    package var pressure: Double?
    /// Processors that the control group may use, if it is limited.
    package var processorQuota: Double?
    /// `RLIMIT_NOFILE`, the hard limit.
    package var descriptorLimit: UInt64 = 0
    /// `net.core.somaxconn`.
    package var somaxconn: Int?
    /// Number of ports that `connect(2)` chooses from.
    package var ephemeralPorts: Int?
    /// `net.ipv4.tcp_syncookies`.
    package var synCookies: Int?
    /// What the kernel's clock reads.
    package var clockSource: String?
    /// `kernel.io_uring_disabled`: 0 allows all processes, 1 a group, 2 none.
    package var ringsDisabled: Int?
    /// Why this process cannot use io_uring, whatever the setting says: a container may filter the call.
    package var ringRefusal: String?
    /// Whether this process may load BPF programs for sockets.
    package var mayLoadPrograms: Bool?
    /// What counts system calls in the kernel, `bpf` or `perf`; empty if nothing can, nil if that was not tried.
    package var callSource: String?
    /// Why nothing can.
    package var callRefusal: String?
    /// What kept a connection of this machine to itself from being made, empty if it was; nil if none was tried.
    package var loopbackRefusal: String?
    /// The interfaces that are up, loopback first; nil if they were not asked for.
    package var links: [NetworkLink]?
    /// The processors that a run pins its workers to; empty where it pins none.
    package var workerProcessors: Set<Int> = []

    /// A machine of which nothing is known.
    package init() {}

    /// Reads it from `/proc` and `/sys`.
    ///
    /// - Parameter seconds: how long to watch what others use; without it their share is not known, and the
    ///   hypervisor's is the average since the machine started.
    package static func read(watchingFor seconds: Double? = nil) -> MachineState {
        let facts = MachineFacts.read()
        var state = MachineState()
        state.processors = Affinity.available().count
        state.isGuest = readLines("/proc/cpuinfo").contains { $0.hasPrefix("flags") && $0.contains(" hypervisor") }
        // A folder of the first processor without one of frequencies says that there are none to choose from.
        let hasProcessor = FileManager.default.fileExists(atPath: "/sys/devices/system/cpu/cpu0")
        state.governor = facts.governor ?? (hasProcessor ? "none" : nil)
        state.turbo =
            number("/sys/devices/system/cpu/intel_pstate/no_turbo").map { $0 == 0 }
            ?? number("/sys/devices/system/cpu/cpufreq/boost").map { $0 == 1 }
        state.multithreading = number("/sys/devices/system/cpu/smt/active").map { $0 == 1 }
        state.isolated = (try? String(contentsOfFile: "/sys/devices/system/cpu/isolated", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
        state.pressure = cpuPressure()
        state.processorQuota = quota()
        state.descriptorLimit = facts.descriptorLimit
        state.somaxconn = facts.somaxconn
        let ports = words("/proc/sys/net/ipv4/ip_local_port_range").compactMap { Int($0) }
        state.ephemeralPorts = ports.count == 2 ? ports[1] - ports[0] + 1 : nil
        state.synCookies = number("/proc/sys/net/ipv4/tcp_syncookies")
        state.clockSource = facts.clockSource == "unknown" ? nil : facts.clockSource
        state.ringsDisabled = number("/proc/sys/kernel/io_uring_disabled")
        state.mayLoadPrograms = mayLoadPrograms()
        state.watch(seconds)
        return state
    }

    /// Tries what can count system calls.
    package mutating func tryCallCounter() {
        do throws(CallCounterRefusal) {
            callSource = try CallCounter(threads: 1).source.rawValue
        } catch {
            (callSource, callRefusal) = ("", error.description)
        }
    }

    private mutating func watch(_ seconds: Double?) {
        var before: ProcessorTime? = ProcessorTime()
        if let seconds {
            let counters = KernelCounters.read()
            before = .read()
            // The kernel gives sums since the boot; what is going on now is what they grow by meanwhile.
            Thread.sleep(forTimeInterval: seconds)
            foreignShare = KernelCounters.foreignShare(
                from: counters, to: .read(), seconds: seconds)
        }
        guard let before, let now = ProcessorTime.read() else { return }
        let total = now.total &- before.total
        stealShare = total > 0 ? Double(now.stolen &- before.stolen) / Double(total) : 0
    }

    /// `CAP_SYS_ADMIN`, or `CAP_BPF` with `CAP_NET_ADMIN`, or a kernel that allows it without.
    private static func mayLoadPrograms() -> Bool? {
        guard let line = readLines("/proc/self/status").first(where: { $0.hasPrefix("CapEff:") }) else { return nil }
        let capabilities = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) ?? 0
        let (netAdmin, sysAdmin, bpf) = (UInt64(1) << 12, UInt64(1) << 21, UInt64(1) << 39)
        return capabilities & sysAdmin != 0 || capabilities & (bpf | netAdmin) == bpf | netAdmin
            || number("/proc/sys/kernel/unprivileged_bpf_disabled") == 0
    }

    /// `some avg10=0.00 …` of the pressure stall information.
    private static func cpuPressure() -> Double? {
        let field = words("/proc/pressure/cpu").first { $0.hasPrefix("avg10=") }
        return field.flatMap { Double($0.dropFirst(6)) }.map { $0 / 100 }
    }

    /// `cpu.max` of this process's control group: quota and period in µs, or `max`.
    private static func quota() -> Double? {
        let group = readLines("/proc/self/cgroup").first { $0.hasPrefix("0::") }?.dropFirst(3) ?? "/"
        let numbers = words("/sys/fs/cgroup\(group)/cpu.max").compactMap { Double($0) }
        return numbers.count == 2 && numbers[1] > 0 ? numbers[0] / numbers[1] : nil
    }

    private static func words(_ path: String) -> [Substring] {
        readLines(path).first?.split { $0 == " " || $0 == "\t" } ?? []
    }

    private static func number(_ path: String) -> Int? { firstLine(path).flatMap { Int($0) } }
}

/// Ticks of all processors, from the first line of `/proc/stat`.
private struct ProcessorTime {
    var total: UInt64 = 0
    var stolen: UInt64 = 0

    static func read() -> ProcessorTime? {
        let ticks = readLines("/proc/stat").first?.split(separator: " ").dropFirst().compactMap { UInt64($0) } ?? []
        guard ticks.count >= 8 else { return nil }
        return ProcessorTime(total: ticks.prefix(8).reduce(0, +), stolen: ticks[7])
    }
}
