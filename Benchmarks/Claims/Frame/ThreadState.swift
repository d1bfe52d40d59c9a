import CBenchExtras
import Foundation
import Glibc

/// What the kernel says of a thread of this process (`proc_pid_stat(5)`, `proc_pid_syscall(5)`).
struct ThreadState: Sendable {
    let thread: pid_t

    /// True if the thread sleeps in a system call other than for a lock: it waits for an event.
    ///
    /// A thread that was woken is runnable from that moment on, whether or not a processor is free for it, so a
    /// thread that is seen asleep has not been woken. Where `syscall` cannot be read, sleeping is all that is checked.
    var waitsInKernel: Bool {
        // The state letter follows the name, which may itself hold spaces and parentheses.
        guard let stat = read("stat"), let end = stat.lastIndex(of: ")") else { return false }
        guard stat[stat.index(after: end)...].first(where: { $0 != " " }) == "S" else { return false }
        return read("syscall")?.split(separator: " ").first.flatMap { Int($0) } != Int(SYS_futex)
    }

    /// True once the kernel does not know the thread any more.
    var hasEnded: Bool { read("stat") == nil }

    /// How often the thread gave up the processor to wait. Wakeups that the kernel takes back count too.
    var voluntarySwitches: UInt64 {
        let line = read("status")?.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
        return line.flatMap { UInt64($0.drop { !$0.isNumber }) } ?? 0
    }

    private func read(_ file: String) -> String? {
        try? String(contentsOfFile: "/proc/self/task/\(thread)/\(file)", encoding: .utf8)
    }
}

func threadNanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
