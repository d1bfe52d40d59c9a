import Glibc

/// Ends this program if a run does not end: its threads wait for each other then, and nothing else could.
///
/// An alarm (`alarm(2)`) needs no thread, which would be one more in the measurement. It counts on while the program is
/// stopped by a terminal, so the limit has to be over twice.
enum RunLimit {
    // Unsafe only in name: both are set while no alarm is due, and a signal's handler may take no lock.
    /// What the signal's handler writes; it may allocate nothing.
    nonisolated(unsafe) private static var message: UnsafeMutablePointer<CChar>?
    /// What the second half of the limit will be; 0 once that has begun.
    nonisolated(unsafe) private static var secondsLeft: UInt32 = 0

    static func begin(seconds: Double, _ run: String, _ folder: String) {
        unsafe free(message)
        let text =
            "\nbench: \(run) did not end within \(Int(seconds)) s; rows written before it are whole, and to go on: "
            + "\(resumeCommand("run", folder))\n"
        unsafe message = strdup(text)
        let limit = UInt32(clamping: Int((seconds / 2).rounded(.up)))
        unsafe secondsLeft = limit
        signal(SIGALRM) { _ in
            if unsafe RunLimit.secondsLeft > 0 {
                unsafe alarm(RunLimit.secondsLeft)
                unsafe RunLimit.secondsLeft = 0
                return
            }
            if let message = unsafe RunLimit.message { _ = unsafe write(STDERR_FILENO, message, strlen(message)) }
            _exit(Exit.runFailed.rawValue)
        }
        // The parent may have blocked the signal, and the mask is inherited.
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGALRM)
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        alarm(limit)
    }

    static func end() { alarm(0) }
}
