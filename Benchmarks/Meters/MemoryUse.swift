import Foundation

/// Memory of this process and of the kernel's own objects, in bytes.
package struct MemoryUse: Sendable, Equatable, Codable {
    /// Resident memory of this process (`VmRSS` of `/proc/self/status`).
    package var residentBytes: UInt64
    /// The kernel's objects, sockets among them, of the whole machine (`Slab` of `/proc/meminfo`).
    package var slabBytes: UInt64
    /// The most that this process had resident since ``forgetPeak()`` (`VmHWM`).
    package var peakBytes: UInt64

    /// Reads them now. What cannot be read is 0.
    package static func read() -> MemoryUse {
        func fields(_ path: String) -> ProcFields {
            ProcFields((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
        }
        let own = fields("/proc/self/status")
        return MemoryUse(
            residentBytes: (own["VmRSS"] ?? 0) * 1024, slabBytes: (fields("/proc/meminfo")["Slab"] ?? 0) * 1024,
            peakBytes: (own["VmHWM"] ?? 0) * 1024)
    }

    /// Starts the peak anew at what is resident now (`/proc/self/clear_refs`).
    package static func forgetPeak() {
        try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
    }
}
