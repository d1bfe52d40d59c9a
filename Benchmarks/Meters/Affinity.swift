import CBenchExtras
import Glibc
package import SystemPackage

/// Which processors a thread may run on (`sched_setaffinity(2)`).
package enum Affinity {
    /// Room for 8192 processors.
    private static let words = 128

    /// The processors that the calling thread may use, in order.
    package static func available() -> [Int] {
        var mask = [UInt](repeating: 0, count: words)
        let bytes = unsafe c_get_thread_affinity(&mask, words * MemoryLayout<UInt>.size)
        guard bytes > 0 else { return [0] }
        return (0..<words * 64).filter { mask[$0 / 64] & (1 << UInt($0 % 64)) != 0 }
    }

    /// Pins the calling thread to one processor.
    ///
    /// - Throws: `EINVAL` if the processor is absent or outside of the process's cpuset; `EPERM` where a filter forbids
    ///   the call.
    package static func pinThisThread(to processor: Int) throws(Errno) {
        guard processor >= 0 && processor < words * 64 else { throw .invalidArgument }
        var mask = mask(of: [processor])
        guard unsafe c_set_thread_affinity(&mask, words * MemoryLayout<UInt>.size) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    /// The kernel's form of a set of processors; those beyond its room are left out.
    static func mask(of processors: [Int]) -> [UInt] {
        var mask = [UInt](repeating: 0, count: words)
        for processor in processors where processor >= 0 && processor < words * 64 {
            mask[processor / 64] |= 1 << UInt(processor % 64)
        }
        return mask
    }
}
