import Foundation
import Glibc

/// What identifies the machine and decides its numbers; goes into `run.json`.
package struct MachineFacts: Codable, Sendable, Equatable {
    /// `uname -r`.
    package var kernel: String
    /// `uname -m`.
    package var architecture: String
    /// The processor's name.
    package var processor: String
    /// Processors online.
    package var processors: Int
    /// Memory in bytes.
    package var memoryBytes: UInt64
    /// A readable name with a hash of `/etc/machine-id`: the same for every run on this machine, other elsewhere.
    package var machineID: String
    /// The limit of `listen(2)`'s backlog (`net.core.somaxconn`).
    /// Nil where that cannot be read.
    package var somaxconn: Int?
    /// What the kernel's clock reads (`tsc`, `kvm-clock`, …).
    package var clockSource: String
    /// The frequency governor of CPU 0, if there is one.
    package var governor: String?
    /// `RLIMIT_NOFILE`, the hard limit.
    package var descriptorLimit: UInt64
    /// The interface over which the load goes; nil where there is none, as between unix sockets.
    package var link: NetworkLink?

    /// As the snake-case strategies of JSON coders turn `machine_id` to and fro.
    private enum CodingKeys: String, CodingKey {
        case kernel, architecture, processor, processors, memoryBytes, somaxconn, clockSource, governor, descriptorLimit
        case link
        case machineID = "machineId"
    }

    /// Reads them from `/proc`, `/sys` and `uname(2)`.
    package static func read() -> MachineFacts {
        var names = utsname()
        unsafe uname(&names)
        let architecture = text(of: names.machine)
        let processor = processorName() ?? architecture
        let processors = max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1)
        let memory = UInt64(max(sysconf(CInt(_SC_PHYS_PAGES)), 0)) * UInt64(max(sysconf(CInt(_SC_PAGESIZE)), 0))
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return MachineFacts(
            kernel: kernelRelease, architecture: architecture, processor: processor, processors: processors,
            memoryBytes: memory, machineID: machineID(processor: processor, processors: processors),
            somaxconn: firstLine("/proc/sys/net/core/somaxconn").flatMap { Int($0) },
            clockSource: firstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource") ?? "unknown",
            governor: firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            descriptorLimit: UInt64(limit.rlim_max))
    }

    /// `uname -r`.
    static var kernelRelease: String {
        var names = utsname()
        unsafe uname(&names)
        return text(of: names.release)
    }

    private static func processorName() -> String? {
        let line = readLines("/proc/cpuinfo").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }

    /// `machine-id(5)` is to be kept private, so only a hash of it leaves the machine (FNV-1a, 32 bits).
    private static func machineID(processor: String, processors: Int) -> String {
        let words = processor.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
        let secret = (firstLine("/etc/machine-id") ?? "") + (firstLine("/proc/sys/kernel/hostname") ?? "")
        let hash = secret.utf8.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        let padded = String(repeating: "0", count: 8 - digits.count) + digits
        return (words.prefix(4).map(String.init) + ["\(processors)cpu", padded]).joined(separator: "-")
    }
}

func firstLine(_ path: String) -> String? {
    readLines(path).first.map { $0.trimmingCharacters(in: .whitespaces) }
}

/// The text of a `char[]` member, up to its NUL.
private func text<Characters>(of characters: Characters) -> String {
    unsafe withUnsafeBytes(of: characters) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
