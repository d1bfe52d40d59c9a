import Foundation
import Glibc
import Meters

/// Ends the process when the user asks for the second time.
///
/// A thread takes the signals: while one is pending, others like it would be lost. For the first it leaves a mark, a
/// signal that stays pending, so that whoever watches for the end sees it as long as the process lives.
enum SecondSignal {
    /// The signal that stays pending; blocked by whoever watches.
    static let mark = __libc_current_sigrtmin() + 7

    private static let isWatched = Locked(false)

    /// Starts the thread, once; where there is none to have, the first signal has to do.
    static func watch(_ signals: [CInt]) {
        let isFirst = isWatched.withLock { isWatched in
            defer { isWatched = true }
            return !isWatched
        }
        guard isFirst else { return }
        var thread = pthread_t()
        let list = UnsafeMutablePointer<sigset_t>.allocate(capacity: 1)
        unsafe sigemptyset(list)
        for signal in signals { unsafe sigaddset(list, signal) }
        let code = unsafe pthread_create(
            &thread, nil,
            { list in
                unsafe SecondSignal.take(list!.assumingMemoryBound(to: sigset_t.self))
                return nil
            }, list)
        if code == 0 {
            pthread_detach(thread)
        } else {
            // Nobody takes the signals: they stay pending themselves.
            unsafe list.deallocate()
        }
    }

    private static func take(_ signals: UnsafePointer<sigset_t>) {
        func next() -> CInt {
            var signal: CInt = 0
            while unsafe sigwait(signals, &signal) != 0 {}
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
