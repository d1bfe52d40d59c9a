import CBenchExtras
import Glibc
import Meters

/// Ends the process when the user asks for the second time.
///
/// A thread takes the signals: while one is pending, others like it would be lost. For the first it raises a mark, a
/// signal that stays pending, so that every ``Interruption`` sees it as long as the process lives.
enum SecondSignal {
    /// The signal that stays pending; blocked by every ``Interruption``.
    static let mark = __libc_current_sigrtmin() + 7

    private static let isWatched = Locked(false)

    /// Starts the thread, once; where the kernel refuses it, the signals stay pending and a second one changes nothing.
    static func watch(_ signals: [CInt]) {
        let isFirst = isWatched.withLock { isWatched in
            defer { isWatched = true }
            return !isWatched
        }
        guard isFirst else { return }
        _ = startThread { take(signals) }
    }

    private static func take(_ signals: [CInt]) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        func next() -> CInt {
            var signal: CInt = 0
            while unsafe sigwait(&set, &signal) != 0 {}
            return signal
        }
        _ = next()
        let first = monotonicNanoseconds()
        kill(getpid(), mark)
        // The same key press can arrive twice, from the terminal and from a parent that hands it on.
        repeat { _ = next() } while monotonicNanoseconds() - first < 100_000_000
        let text = "\nbench: ended at once; rows that were written are whole\n"
        _ = unsafe write(STDERR_FILENO, text, text.utf8.count)
        _exit(130)
    }
}
