import CBenchExtras
import Foundation
import Glibc

/// What the kernel says of a thread of this process (`proc_pid_stat(5)`, `proc_pid_syscall(5)`).
struct ThreadState: Sendable {
    let thread: pid_t

    /// True if the thread sleeps in a system call other than for a lock: it waits for an event.
    ///
    /// A thread that was woken is runnable from that moment on, whether or not a processor is free for it, so a
    /// thread that is seen asleep has not been woken. Where `syscall` cannot be read, sleeping has to do.
    var waitsInKernel: Bool {
        guard state == "S" else { return false }
        guard let number = systemCallNumber else { return true }
        return number != Int(SYS_futex)
    }

    /// The state letter: the field after the name, which may itself hold spaces and parentheses.
    private var state: Character? {
        guard let text = Self.read("/proc/self/task/\(thread)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        return text[text.index(after: end)...].first { $0 != " " }
    }

    private var systemCallNumber: Int? {
        guard let text = Self.read("/proc/self/task/\(thread)/syscall") else { return nil }
        return text.split(separator: " ").first.flatMap { Int($0) }
    }

    /// Times the thread gave up the processor to wait: grows also by wakeups that the kernel takes back.
    var voluntarySwitches: UInt64 {
        let lines = Self.read("/proc/self/task/\(thread)/status")?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix("voluntary_ctxt_switches:") }
        return line.flatMap { UInt64($0.drop { !$0.isNumber }) } ?? 0
    }

    private static func read(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}
