/// One thing that moves measurements: how it stands on this machine, what that does, and what mends it.
package struct Diagnosis: Codable, Sendable, Equatable {
    /// What was looked at.
    package var fact: String
    /// How it stands.
    package var value: String
    /// What it does to the numbers; empty if it does them no harm.
    package var effect = ""
    /// The command that mends it, or what else to do; empty if there is nothing to mend.
    package var remedy = ""

    /// Whether something is to be mended.
    package var isHarmful: Bool { !effect.isEmpty }

    /// Everything that is looked at, in the order in which it should be mended.
    package static func all(_ state: MachineState, build: String) -> [Diagnosis] {
        [buildKind(build)] + checks.compactMap { $0(state) }
    }

    private static let checks: [@Sendable (MachineState) -> Diagnosis?] = [
        loopback, processors, pinning, quota, governor, turbo, multithreading, isolation, steal, pressure, foreign,
        clock,
        descriptors, backlog, ports, cookies, rings, programs, calls,
    ]

    private static func buildKind(_ build: String) -> Diagnosis {
        var result = Diagnosis(fact: "build", value: build)
        if build != "release" {
            result.effect = "loops cost several times what they cost optimised, and allocate"
            result.remedy = "swift build -c release"
        }
        return result
    }

    /// What could not be read: nothing follows from it.
    private static func unknown(_ fact: String, _ file: String) -> Diagnosis {
        Diagnosis(fact: fact, value: "unknown: \(file) cannot be read")
    }

    private static func loopback(_ state: MachineState) -> Diagnosis? {
        guard let refusal = state.loopbackRefusal else { return nil }
        if refusal.isEmpty { return Diagnosis(fact: "loopback", value: "works") }
        return Diagnosis(
            fact: "loopback", value: "refused", effect: "nothing but --workload wake can run: \(refusal)",
            remedy: "ip address show lo, and bring the interface up: ip link set lo up")
    }

    private static func processors(_ state: MachineState) -> Diagnosis? {
        var result = Diagnosis(fact: "processors", value: "\(state.processors)")
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
        var result = Diagnosis(fact: "pinning", value: pinning)
        if pinning == "none" {
            result.effect =
                "the scheduler moves threads: a ping-pong across two processors takes three times one on one"
            result.remedy = "leave out --pin none: --pin auto gives either side processors of its own"
        }
        return result
    }

    private static func quota(_ state: MachineState) -> Diagnosis? {
        guard let quota = state.processorQuota, quota < Double(state.processors) else { return nil }
        return Diagnosis(
            fact: "CPU quota", value: "\(quota) processors",
            effect: "the control group is stopped for the rest of a period when it has used its share",
            remedy: "systemctl set-property UNIT CPUQuota=, or run without --cpus in the container")
    }

    private static func governor(_ state: MachineState) -> Diagnosis? {
        guard let governor = state.governor else { return unknown("frequency governor", "/sys/devices/system/cpu") }
        if governor == "none" {
            return Diagnosis(fact: "frequency governor", value: "none: this kernel does not set the frequency")
        }
        var result = Diagnosis(fact: "frequency governor", value: governor)
        if governor != "performance" {
            result.effect = "the clock follows the load, so idle modes seem to cost more time per operation"
            result.remedy = "cpupower frequency-set -g performance"
        }
        return result
    }

    private static func turbo(_ state: MachineState) -> Diagnosis? {
        guard let turbo = state.turbo else { return nil }
        var result = Diagnosis(fact: "turbo", value: turbo ? "on" : "off")
        if turbo {
            result.effect = "the clock depends on heat and on how many processors are busy"
            result.remedy =
                "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > /sys/devices/system/cpu/cpufreq/boost"
        }
        return result
    }

    private static func multithreading(_ state: MachineState) -> Diagnosis? {
        guard let active = state.multithreading else { return nil }
        var result = Diagnosis(fact: "SMT", value: active ? "on" : "off")
        if active {
            result.effect = "two threads on one core slow each other down by a third or more"
            result.remedy = "echo off > /sys/devices/system/cpu/smt/control, or --pin one thread of each core"
        }
        return result
    }

    private static func isolation(_ state: MachineState) -> Diagnosis? {
        guard let isolated = state.isolated else {
            return unknown("isolated processors", "/sys/devices/system/cpu/isolated")
        }
        var result = Diagnosis(fact: "isolated processors", value: isolated.isEmpty ? "none" : isolated)
        if isolated.isEmpty {
            result.effect = "other programs and interrupts run on the measured processors"
            result.remedy = "boot with isolcpus=CPUS and --pin CPUS, or stop other work and measure more rounds"
        }
        return result
    }

    private static func steal(_ state: MachineState) -> Diagnosis? {
        guard let share = state.stealShare else { return unknown("steal", "/proc/stat") }
        guard state.isGuest || share > 0 else { return nil }
        var result = Diagnosis(fact: "steal", value: percent(share))
        if share > 0.01 {
            result.effect = "the host gives this guest's processors to others: times are longer, CPU time is not"
            result.remedy = "measure on a quiet or dedicated host; compare interleaved runs only"
        }
        return result
    }

    private static func pressure(_ state: MachineState) -> Diagnosis? {
        guard let pressure = state.pressure else { return nil }
        var result = Diagnosis(fact: "CPU pressure", value: percent(pressure))
        if pressure > 0.05 {
            result.effect = "threads wait for a processor, which becomes latency"
            result.remedy = "ps -eo pcpu,comm --sort=-pcpu | head, and end what is not needed"
        }
        return result
    }

    private static func foreign(_ state: MachineState) -> Diagnosis? {
        guard let share = state.foreignShare else { return nil }
        var result = Diagnosis(fact: "load by others", value: percent(share))
        if share > 0.05 {
            result.effect = "caches and processors are shared with other work"
            result.remedy = "ps -eo pcpu,comm --sort=-pcpu | head, and end what is not needed"
        }
        return result
    }

    /// Clocks that can be read without a system call.
    private static let fastClocks: Set = ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"]

    private static func clock(_ state: MachineState) -> Diagnosis? {
        guard let source = state.clockSource else { return unknown("clock source", "/sys/devices/system/clocksource") }
        var result = Diagnosis(fact: "clock source", value: source)
        if !fastClocks.contains(source) {
            result.effect = "reading the clock is a system call or a slow device access, once or more per operation"
            result.remedy = "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource"
        }
        return result
    }

    private static func descriptors(_ state: MachineState) -> Diagnosis? {
        var result = Diagnosis(fact: "descriptor limit", value: "\(state.descriptorLimit)")
        if state.descriptorLimit < 65_536 {
            result.effect = "--connections ends at about \(state.descriptorLimit)"
            result.remedy = "ulimit -Hn 1048576 as root, or LimitNOFILE=1048576 of the service"
        }
        return result
    }

    private static func backlog(_ state: MachineState) -> Diagnosis? {
        guard let somaxconn = state.somaxconn else { return unknown("somaxconn", "/proc/sys/net/core/somaxconn") }
        var result = Diagnosis(fact: "somaxconn", value: "\(somaxconn)")
        if somaxconn < 4096 {
            result.effect = "accept queues overflow beyond it, and each dropped client sleeps for a second"
            result.remedy = "sysctl -w net.core.somaxconn=4096"
        }
        return result
    }

    private static func ports(_ state: MachineState) -> Diagnosis? {
        guard let ports = state.ephemeralPorts else { return nil }
        var result = Diagnosis(fact: "ephemeral ports", value: "\(ports)")
        if ports < 10_000 {
            result.effect = "a client can have no more connections than that at once; the next fails with EADDRNOTAVAIL"
            result.remedy = "sysctl -w net.ipv4.ip_local_port_range='1024 65535'"
        }
        return result
    }

    private static func cookies(_ state: MachineState) -> Diagnosis? {
        guard let cookies = state.synCookies else { return nil }
        let names = ["off", "on overflow", "always"]
        var result = Diagnosis(fact: "SYN cookies", value: names.indices.contains(cookies) ? names[cookies] : "?")
        if cookies == 2 {
            result.effect = "every handshake computes a cookie and loses its options"
            result.remedy = "sysctl -w net.ipv4.tcp_syncookies=1"
        }
        return result
    }

    private static func rings(_ state: MachineState) -> Diagnosis? {
        let names = ["allowed", "for a group only", "forbidden"]
        let disabled = state.ringsDisabled ?? 0
        var result = Diagnosis(fact: "io_uring", value: names.indices.contains(disabled) ? names[disabled] : "?")
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
        var result = Diagnosis(fact: "BPF programs", value: mayLoad ? "allowed" : "forbidden")
        if !mayLoad {
            result.effect = "listeners that choose their socket with an eBPF program cannot run"
            result.remedy = "run as root, or setcap cap_bpf,cap_net_admin+ep on the bench binary"
        }
        return result
    }

    private static func calls(_ state: MachineState) -> Diagnosis? {
        guard let source = state.callSource else { return nil }
        var result = Diagnosis(fact: "system calls", value: "counted by the kernel (\(source))")
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
