/// One fact of this machine that affects measurements: its value, its effect and the remedy.
package struct Diagnosis: Codable, Sendable, Equatable {
    package var fact: String
    package var value: String
    /// What it does to the numbers; empty if it does no harm.
    package var effect = ""
    /// The command to run, or what else to do; empty without harm.
    package var remedy = ""

    package var isHarmful: Bool { !effect.isEmpty }

    init(_ fact: String, _ value: String, if isHarmful: Bool = false, effect: String = "", remedy: String = "") {
        (self.fact, self.value) = (fact, value)
        if isHarmful { (self.effect, self.remedy) = (effect, remedy) }
    }

    /// All facts, in the order in which they should be corrected.
    package static func all(_ state: MachineState, build: String) -> [Diagnosis] {
        [buildKind(build)] + checks.compactMap { $0(state) } + links(state)
    }

    private static let checks: [@Sendable (MachineState) -> Diagnosis?] = [
        loopback, processors, pinning, quota, governor, turbo, multithreading, isolation, steal, pressure, foreign,
        clock, descriptors, backlog, ports, cookies, rings, programs, calls,
    ]

    private static func buildKind(_ build: String) -> Diagnosis {
        Diagnosis(
            "build", build, if: build != "release",
            effect: "loops cost several times what they cost optimised, and allocate",
            remedy: "swift build -c release")
    }

    /// What could not be read: nothing follows from it.
    private static func unknown(_ fact: String, _ file: String) -> Diagnosis {
        Diagnosis(fact, "unknown: \(file) cannot be read")
    }

    private static func loopback(_ state: MachineState) -> Diagnosis? {
        guard let refusal = state.loopbackRefusal else { return nil }
        if refusal.isEmpty { return Diagnosis("loopback", "works") }
        return Diagnosis(
            "loopback", "refused", if: true, effect: "nothing but --workload wake can run: \(refusal)",
            remedy: "ip address show lo, and bring the interface up: ip link set lo up")
    }

    private static func processors(_ state: MachineState) -> Diagnosis? {
        var result = Diagnosis("processors", "\(state.processors)")
        if state.processors < 2 {
            result.effect = "nothing can be pinned: server and clients take turns on one processor"
            result.remedy = "taskset -c 0-1 bench …, or a machine with more processors"
        } else if state.processors < 4 {
            result.effect = "workers beyond the first \(state.processors - 1) share a processor"
            result.remedy = "keep --workers below \(state.processors) and --pin auto"
        }
        return result
    }

    private static func pinning(_ state: MachineState) -> Diagnosis? {
        // With one processor there is nothing to choose from, which is said of the processors.
        guard let pinning = state.pinning, state.processors > 1 else { return nil }
        return Diagnosis(
            "pinning", pinning, if: pinning == "none",
            effect: "the scheduler moves threads: a ping-pong across two processors takes three times one on one",
            remedy: "leave out --pin none: --pin auto gives either side processors of its own")
    }

    private static func quota(_ state: MachineState) -> Diagnosis? {
        guard let quota = state.processorQuota, quota < Double(state.processors) else { return nil }
        return Diagnosis(
            "CPU quota", "\(quota) processors", if: true,
            effect: "the control group is stopped for the rest of a period when it has used its share",
            remedy: "systemctl set-property UNIT CPUQuota=, or run without --cpus in the container")
    }

    private static func governor(_ state: MachineState) -> Diagnosis? {
        guard let governor = state.governor else { return unknown("frequency governor", "/sys/devices/system/cpu") }
        if governor == "none" {
            return Diagnosis("frequency governor", "none: this kernel does not set the frequency")
        }
        return Diagnosis(
            "frequency governor", governor, if: governor != "performance",
            effect: "the clock follows the load, so idle modes seem to cost more time per operation",
            remedy: "cpupower frequency-set -g performance")
    }

    private static func turbo(_ state: MachineState) -> Diagnosis? {
        guard let turbo = state.turbo else { return nil }
        return Diagnosis(
            "turbo", turbo ? "on" : "off", if: turbo,
            effect: "the clock depends on heat and on how many processors are busy",
            remedy:
                "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > /sys/devices/system/cpu/cpufreq/boost"
        )
    }

    private static func multithreading(_ state: MachineState) -> Diagnosis? {
        guard let active = state.multithreading else { return nil }
        return Diagnosis(
            "SMT", active ? "on" : "off", if: active,
            effect: "two threads on one core slow each other down by a third or more",
            remedy: "echo off > /sys/devices/system/cpu/smt/control, or --pin one thread of each core")
    }

    private static func isolation(_ state: MachineState) -> Diagnosis? {
        guard let isolated = state.isolated else {
            return unknown("isolated processors", "/sys/devices/system/cpu/isolated")
        }
        return Diagnosis(
            "isolated processors", isolated.isEmpty ? "none" : isolated, if: isolated.isEmpty,
            effect: "other programs and interrupts run on the measured processors",
            remedy: "boot with isolcpus=CPUS and --pin CPUS, or stop other work and measure more rounds")
    }

    private static func steal(_ state: MachineState) -> Diagnosis? {
        guard let share = state.stealShare else { return unknown("steal", "/proc/stat") }
        guard state.isGuest || share > 0 else { return nil }
        return Diagnosis(
            "steal", percent(share), if: share > 0.01,
            effect: "the host gives this guest's processors to others: times are longer, CPU time is not",
            remedy: "measure on a quiet or dedicated host; compare interleaved runs only")
    }

    private static func pressure(_ state: MachineState) -> Diagnosis? {
        guard let pressure = state.pressure else { return nil }
        return Diagnosis(
            "CPU pressure", percent(pressure), if: pressure > 0.05,
            effect: "threads wait for a processor, which becomes latency",
            remedy: "ps -eo pcpu,comm --sort=-pcpu | head, and end what is not needed")
    }

    private static func foreign(_ state: MachineState) -> Diagnosis? {
        guard let share = state.foreignShare else { return nil }
        return Diagnosis(
            "load by others", percent(share), if: share > 0.05,
            effect: "caches and processors are shared with other work",
            remedy: "ps -eo pcpu,comm --sort=-pcpu | head, and end what is not needed")
    }

    /// Clocks that can be read without a system call.
    private static let fastClocks: Set = ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"]

    private static func clock(_ state: MachineState) -> Diagnosis? {
        guard let source = state.clockSource else { return unknown("clock source", "/sys/devices/system/clocksource") }
        return Diagnosis(
            "clock source", source, if: !fastClocks.contains(source),
            effect: "reading the clock is a system call or a slow device access, once or more per operation",
            remedy: "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource")
    }

    private static func descriptors(_ state: MachineState) -> Diagnosis? {
        return Diagnosis(
            "descriptor limit", "\(state.descriptorLimit)", if: state.descriptorLimit < 65_536,
            effect: "--connections ends at about \(state.descriptorLimit)",
            remedy: "ulimit -Hn 1048576 as root, or LimitNOFILE=1048576 of the service")
    }

    private static func backlog(_ state: MachineState) -> Diagnosis? {
        guard let somaxconn = state.somaxconn else { return unknown("somaxconn", "/proc/sys/net/core/somaxconn") }
        return Diagnosis(
            "somaxconn", "\(somaxconn)", if: somaxconn < 4096,
            effect: "accept queues overflow beyond it, and each dropped client sleeps for a second",
            remedy: "sysctl -w net.core.somaxconn=4096")
    }

    private static func ports(_ state: MachineState) -> Diagnosis? {
        guard let ports = state.ephemeralPorts else { return nil }
        return Diagnosis(
            "ephemeral ports", "\(ports)", if: ports < 10_000,
            effect: "a client can have no more connections than that at once; the next fails with EADDRNOTAVAIL",
            remedy: "sysctl -w net.ipv4.ip_local_port_range='1024 65535'")
    }

    private static func cookies(_ state: MachineState) -> Diagnosis? {
        guard let cookies = state.synCookies else { return nil }
        let names = ["off", "on overflow", "always"]
        return Diagnosis(
            "SYN cookies", names.indices.contains(cookies) ? names[cookies] : "?", if: cookies == 2,
            effect: "every handshake computes a cookie and loses its options",
            remedy: "sysctl -w net.ipv4.tcp_syncookies=1")
    }

    private static func rings(_ state: MachineState) -> Diagnosis? {
        let names = ["allowed", "for a group only", "forbidden"]
        let disabled = state.ringsDisabled ?? 0
        var result = Diagnosis("io_uring", names.indices.contains(disabled) ? names[disabled] : "?")
        if disabled != 0 {
            result.effect = "the uring modes are reported as unsupported unless the process is privileged"
            result.remedy = "sysctl -w kernel.io_uring_disabled=0"
        } else if let refusal = state.ringRefusal {
            result.value = "refused"
            result.effect = "the uring modes are reported as unsupported: \(refusal)"
            result.remedy = "run outside the container, or with --security-opt seccomp=unconfined"
        }
        return result
    }

    private static func programs(_ state: MachineState) -> Diagnosis? {
        guard let mayLoad = state.mayLoadPrograms else { return unknown("BPF programs", "/proc/self/status") }
        return Diagnosis(
            "BPF programs", mayLoad ? "allowed" : "forbidden", if: !mayLoad,
            effect: "listeners that choose their socket with an eBPF program cannot run",
            remedy: "run as root, or setcap cap_bpf,cap_net_admin+ep on the bench binary")
    }

    private static func calls(_ state: MachineState) -> Diagnosis? {
        guard let source = state.callSource else { return nil }
        var result = Diagnosis("system calls", "counted by the kernel (\(source))")
        if source.isEmpty {
            result.value = "counted by the loops"
            result.effect = "a call that a loop makes and does not count is not seen (\(state.callRefusal ?? ""))"
            result.remedy = "run as root, or with CAP_BPF and CAP_PERFMON"
        } else if source == CallCounter.Source.perf.rawValue {
            result.effect = "there is a total and no names, so calls.csv stays empty"
            result.remedy = "run as root, or with CAP_BPF and CAP_PERFMON, where BPF programs are allowed"
        }
        return result
    }

    private static func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}
