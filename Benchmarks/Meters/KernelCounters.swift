import Foundation
import Glibc

/// Counters of the whole machine that show whether a run can be trusted.
package struct KernelCounters: Sendable, Equatable, Codable {
    /// Connections dropped because an accept queue was full (`TcpExt ListenOverflows`).
    /// Nil where that cannot be read.
    package var listenOverflows: UInt64?
    /// CPU time that all processes used or the hypervisor kept, in nanoseconds (`/proc/stat`, counted in ticks).
    /// Nil where that cannot be read.
    package var busyNanoseconds: UInt64?
    /// CPU time of this process, in nanoseconds.
    package var ownNanoseconds: UInt64
    /// The processors that they add up.
    package var processorCount = KernelCounters.processors
    /// What the network sent again and dropped.
    package var network = NetworkCounters()

    private static let overflows = "TcpExt ListenOverflows"
    private static let wanted = NetworkCounters.wanted.union([overflows])

    /// Reads them now.
    package static func read() -> KernelCounters {
        let protocols = ProtocolCounters.read(wanted)
        return KernelCounters(
            listenOverflows: protocols[overflows], busyNanoseconds: busy(),
            ownNanoseconds: nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID), network: NetworkCounters(protocols))
    }

    /// The processors that the counters add up, of which this process may be allowed a few only.
    package static var processors: Int { max(Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))), 1) }

    /// How many connections were dropped since an earlier reading; nil if that is not known.
    package func overflows(since start: Self) -> UInt64? {
        guard let before = start.listenOverflows, let after = listenOverflows else { return nil }
        return after &- before
    }

    /// The share of the machine, 0 to 1, that others used between two readings; nil if it is not known.
    ///
    /// - Parameter server: CPU time of other processes that belong to the run, in nanoseconds.
    package static func foreignShare(
        from start: Self, to end: Self, server: UInt64 = 0, seconds: Double, processors: Int = Self.processors
    ) -> Double? {
        guard let before = start.busyNanoseconds, let after = end.busyNanoseconds else { return nil }
        let busy = Double(after &- before)
        let own = Double(end.ownNanoseconds &- start.ownNanoseconds) + Double(server)
        let capacity = seconds * 1e9 * Double(processors)
        guard capacity > 0 else { return 0 }
        return min(max((busy - own) / capacity, 0), 1)
    }

    /// The first line of `/proc/stat`: user nice system idle iowait irq softirq steal.
    private static func busy() -> UInt64? {
        guard let line = readLines("/proc/stat").first else { return nil }
        let ticks = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
        guard ticks.count >= 8 else { return nil }
        let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]
        return busy * (1_000_000_000 / UInt64(max(sysconf(CInt(_SC_CLK_TCK)), 1)))
    }
}

func readLines(_ path: String) -> [Substring] {
    (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n") ?? []
}
