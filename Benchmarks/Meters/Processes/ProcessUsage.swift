/// What the processes of a server have used, and hold at this moment, as `/proc` tells it.
package struct ProcessUsage: Sendable, Equatable, Codable {
    /// CPU time in user and kernel mode.
    package var cpuNanoseconds: UInt64 = 0
    /// CPU time of each thread that is there, by its number; empty where the kernel does not tell.
    package var cpuByThread: [Int32: UInt64] = [:]
    /// The part of ``cpuNanoseconds`` of threads that were seen at work; nil where the kernel does not tell. The rest is
    /// that of those that ended, whose switches and run delay are lost.
    package var seenNanoseconds: UInt64?
    /// Time in which threads could run and waited for a processor; nil where the kernel does not tell.
    package var runDelayNanoseconds: UInt64?
    /// Times that threads gave up the CPU to wait.
    package var voluntarySwitches: UInt64 = 0
    /// Times that threads were taken off the CPU.
    package var involuntarySwitches: UInt64 = 0
    /// Resident memory at this moment; what processes share counts once for each.
    package var residentBytes: UInt64 = 0
    /// Open descriptors at this moment; nil where they are another user's.
    package var descriptors: Int?
    /// Threads at this moment, those that the kernel runs for a ring included.
    package var threads = 0
    /// Processes at this moment.
    package var processes = 0
    /// Processes that were seen so far.
    package var processesSeen = 0

    /// Nothing used.
    package init() {}
}
