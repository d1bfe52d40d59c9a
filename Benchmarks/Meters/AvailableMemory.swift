import Foundation

/// Memory that the whole machine has left.
package enum AvailableMemory {
    /// What can be used without swapping, in bytes (`MemAvailable` of `/proc/meminfo`); 0 if that cannot be read.
    package static func read() -> UInt64 {
        let fields = ProcFields((try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? "")
        return (fields["MemAvailable"] ?? 0) * 1024
    }
}
