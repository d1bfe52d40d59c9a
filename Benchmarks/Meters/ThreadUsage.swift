import CBenchExtras
import Foundation
import Glibc

/// Names a running thread so that another one can read what it has used.
package struct ThreadHandle: Sendable {
    let thread: pid_t
    let clock: clockid_t

    /// The calling thread.
    package static func current() -> ThreadHandle {
        var clock = clockid_t()
        unsafe pthread_getcpuclockid(pthread_self(), &clock)
        return ThreadHandle(thread: c_gettid(), clock: clock)
    }

    /// Another thread of this process, by its number: `CPUCLOCK_PERTHREAD` and `CPUCLOCK_SCHED` of the kernel's
    /// `include/linux/posix-timers.h`, which is what `pthread_getcpuclockid(3)` makes of a number.
    package init(ofKernelThread thread: CInt) { self.init(thread: thread, clock: ~thread << 3 | 6) }

    private init(thread: pid_t, clock: clockid_t) {
        self.thread = thread
        self.clock = clock
    }

    /// The CPU time so far, by one system call; nil if the thread has ended.
    package func cpuNanoseconds() -> UInt64? {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// The context switches so far, alone, which take a file to read; nil if the thread has ended.
    package func switches() -> ThreadUsage? {
        let path = "/proc/self/task/\(thread)/status"
        guard let status = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let fields = ProcFields(status)
        guard let voluntary = fields["voluntary_ctxt_switches"], let forced = fields["nonvoluntary_ctxt_switches"]
        else { return nil }
        return ThreadUsage(voluntarySwitches: voluntary, involuntarySwitches: forced)
    }
}

/// CPU time, context switches and allocations of one thread.
///
/// The CPU time is the thread's `CLOCK_THREAD_CPUTIME_ID`, exact to the scheduler's clock, where `getrusage(2)` counts
/// in ticks. The switches are the numbers that `RUSAGE_THREAD` reports; of another thread they are read from
/// `/proc/self/task`, because only the thread itself may ask `getrusage(2)`.
package struct ThreadUsage: Sendable, Equatable, Codable {
    /// CPU time in user and kernel mode.
    package var cpuNanoseconds: UInt64 = 0
    /// Times the thread gave up the CPU to wait.
    package var voluntarySwitches: UInt64 = 0
    /// Times it was taken off the CPU.
    package var involuntarySwitches: UInt64 = 0

    /// Times it allocated memory; 0 until ``AllocationCount`` is asked for it.
    package var allocations: UInt64 = 0

    /// Nothing used.
    package init(
        cpuNanoseconds: UInt64 = 0, voluntarySwitches: UInt64 = 0, involuntarySwitches: UInt64 = 0,
        allocations: UInt64 = 0
    ) {
        self.cpuNanoseconds = cpuNanoseconds
        self.voluntarySwitches = voluntarySwitches
        self.involuntarySwitches = involuntarySwitches
        self.allocations = allocations
    }

    /// What the calling thread has used so far, without its allocations. Opens no file, so it cannot fail.
    package static func ofThisThread() -> ThreadUsage {
        var usage = rusage()
        _ = unsafe getrusage(C_RUSAGE_THREAD, &usage)
        return ThreadUsage(
            cpuNanoseconds: ThreadHandle.current().cpuNanoseconds() ?? 0, voluntarySwitches: UInt64(usage.ru_nvcsw),
            involuntarySwitches: UInt64(usage.ru_nivcsw))
    }

    /// What was used between two readings.
    package static func - (later: ThreadUsage, earlier: ThreadUsage) -> ThreadUsage { later.combined(earlier, &-) }

    /// The sum of two.
    package static func + (one: ThreadUsage, other: ThreadUsage) -> ThreadUsage { one.combined(other, &+) }

    private func combined(_ other: ThreadUsage, _ with: (UInt64, UInt64) -> UInt64) -> ThreadUsage {
        ThreadUsage(
            cpuNanoseconds: with(cpuNanoseconds, other.cpuNanoseconds),
            voluntarySwitches: with(voluntarySwitches, other.voluntarySwitches),
            involuntarySwitches: with(involuntarySwitches, other.involuntarySwitches),
            allocations: with(allocations, other.allocations))
    }
}

/// The `Name: value` lines of a file under `/proc`, values read as their first number.
struct ProcFields {
    private var values: [Substring: UInt64] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let digits = line[line.index(after: colon)...].drop { !$0.isNumber }.prefix { $0.isNumber }
            if let value = UInt64(digits) { values[line[..<colon]] = value }
        }
    }

    subscript(name: Substring) -> UInt64? { values[name] }
}
