import Foundation

/// Memory of the whole machine (`/proc/meminfo`).
public struct KernelMemory: Sendable, Equatable {
    /// What the kernel keeps its objects in: files, inodes, registrations.
    public var slabBytes: UInt64
    /// What can be used without swapping.
    public var availableBytes: UInt64

    /// Reads it now. What cannot be read is 0.
    public static func read() -> KernelMemory {
        let fields = ProcFields((try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? "")
        return KernelMemory(
            slabBytes: (fields["Slab"] ?? 0) * 1024, availableBytes: (fields["MemAvailable"] ?? 0) * 1024)
    }
}
