import Glibc

/// The signal that tests send to one thread to interrupt a system call.
public let interruption: CInt = SIGUSR2

/// Lets ``interruption`` interrupt the calling thread: with a handler that does nothing and restarts no system call
/// (no `SA_RESTART`), and unblocked, for the threads of Dispatch block it and pass that on to those they start.
///
/// The handler is the same for every test, so it does not matter who sets it last.
public func allowInterruption() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(interruption, &action, nil)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, interruption)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
}
