import Glibc

/// Blocks ``interruption`` in the calling thread: it waits until it is let through.
public func blockInterruption() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, interruption)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
}

/// Whether ``interruption`` waits for the calling thread.
public func interruptionIsPending() -> Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, interruption) == 1
}
