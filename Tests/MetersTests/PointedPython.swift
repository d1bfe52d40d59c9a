import Meters
import TestSupport

/// Runs a program in Python that adds the name of each `point` that it comes to to a file, the last of which is `end`, and
/// goes on at each `SIGUSR1`.
func pointedPython(_ program: String, telling file: TemporaryFile) throws -> KeptProgram {
    let text = """
        import os, signal, socket, sys, threading, time
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        def point(name):
            open("\(file.path)", "a").write(name + "\\n")
            signal.sigwait([signal.SIGUSR1])
        def burn(seconds):
            end = time.thread_time() + seconds
            while time.thread_time() < end: pass
        \(program)
        point("end")
        """
    return try KeptProgram("/usr/bin/env", ["python3", "-c", text])
}
