import CEpoll
import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// Signals to a process. Each has one of its own with one thread, since any thread that does not block them would do.
@Suite struct ProcessSignalTests {
    @Test func aQueuedSignalCarriesItsValue() async {
        await #expect(processExitsWith: .success) {
            try demandInChild {
                let signal = SignalSet.firstRealTimeSignal
                SignalSet([signal]).block()
                let descriptor = try SignalDescriptor([signal])
                for value in [42, -7, CInt.max] {
                    try demand(sigqueue(getpid(), signal, sigval(sival_int: value)) == 0)
                }
                for value in [42, -7, CInt.max] {
                    let record = try descriptor.take()
                    // SI_QUEUE
                    try demand(record?.value == value && record?.code == -1, "\(value) is not there")
                    try demand(record?.sender == getpid() && record?.user == getuid())
                }
                _ = sigqueue(getpid(), signal, sigval(sival_ptr: UnsafeMutableRawPointer(bitPattern: 0x1234_5678_9abc)))
                try demand(descriptor.take()?.wideValue == 0x1234_5678_9abc)
                try demand(descriptor.take() == nil)
            }
        }
    }

    @Test func aStandardSignalThatIsSentAgainIsOne() async {
        await #expect(processExitsWith: .success) {
            try demandInChild {
                SignalSet([SIGTERM, SIGINT]).block()
                let descriptor = try SignalDescriptor([SIGTERM, SIGINT])
                for _ in 0..<5 { kill(getpid(), SIGTERM) }
                kill(getpid(), SIGINT)
                let signals = [try descriptor.take()?.signal, try descriptor.take()?.signal]
                try demand(signals == [SIGINT, SIGTERM] && descriptor.take() == nil, "\(signals)")
            }
        }
    }

    @Test func aChildsEndIsTold() async {
        await #expect(processExitsWith: .success) {
            try demandInChild {
                SignalSet([SIGCHLD]).block()
                let descriptor = try SignalDescriptor([SIGCHLD])
                let child = forkProcess()
                if child == 0 { _exit(7) }
                try waitUntilReadable(descriptor.descriptor)
                let record = try descriptor.take()
                try demand(record?.child == .exited(7) && record?.sender == child, "\(record?.code ?? 0)")
                try demand(exitStatus(of: child) == 7)
                let killed = forkProcess()
                if killed == 0 { waitToBeKilled() }
                kill(killed, SIGKILL)
                try waitUntilReadable(descriptor.descriptor)
                try demand(descriptor.take()?.child == .killed(SIGKILL, dumpedCore: false))
                try demand(exitStatus(of: killed) == -1)
                // One that somebody sent speaks of no child.
                kill(getpid(), SIGCHLD)
                let sent = try descriptor.take()
                try demand(sent?.signal == SIGCHLD && sent?.child == nil)
            }
        }
    }

    @Test func aStoppedChildIsTold() async {
        await #expect(processExitsWith: .success) {
            try demandInChild {
                SignalSet([SIGCHLD]).block()
                let descriptor = try SignalDescriptor([SIGCHLD], [])
                let child = forkProcess()
                if child == 0 { waitToBeKilled() }
                // Whatever fails: a child that goes on keeps the output of the tests open.
                defer { kill(child, SIGKILL) }
                kill(child, SIGSTOP)
                try waitUntilReadable(descriptor.descriptor)
                try demand(descriptor.take()?.child == .stopped(SIGSTOP))
                kill(child, SIGCONT)
                try waitUntilReadable(descriptor.descriptor)
                try demand(descriptor.take()?.child == .continued)
                kill(child, SIGKILL)
                try demand(exitStatus(of: child) == -1)
            }
        }
    }

    @Test func aTimerTellsWhatItOverran() async {
        await #expect(processExitsWith: .success) {
            try demandInChild {
                let signal = SignalSet.firstRealTimeSignal
                SignalSet([signal]).block()
                let descriptor = try SignalDescriptor([signal])
                var event = sigevent()
                event.sigev_notify = 0  // SIGEV_SIGNAL
                event.sigev_signo = signal
                event.sigev_value = sigval(sival_int: 99)
                var timer: timer_t?
                try demand(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
                let millisecond = timespec(tv_sec: 0, tv_nsec: 1_000_000)
                var setting = itimerspec(it_interval: millisecond, it_value: millisecond)
                try demand(timer_settime(timer, 0, &setting, nil) == 0)
                try waitUntilReadable(descriptor.descriptor)
                // Twenty expirations and more go by while one signal waits.
                usleep(20_000)
                let record = try descriptor.take()
                // SI_TIMER
                try demand(record?.code == -2 && record?.value == 99, "\(record?.code ?? 0)")
                try demand(record.map { $0.timerOverruns >= 10 } == true, "\(record?.timerOverruns ?? 0)")
            }
        }
    }

    /// A child has no signals that wait, and does not take its parent's.
    @Test func aChildReadsItsOwn() async {
        await #expect(processExitsWith: .success) {
            try demandInChild {
                SignalSet([SIGUSR1]).block()
                let descriptor = try SignalDescriptor([SIGUSR1])
                kill(getpid(), SIGUSR1)
                let child = forkProcess()
                if child == 0 {
                    guard !SignalSet.pending.contains(SIGUSR1), (try? descriptor.take()) == nil else { _exit(1) }
                    kill(getpid(), SIGUSR1)
                    guard let record = try? descriptor.take(), record.sender == getpid() else { _exit(2) }
                    _exit(0)
                }
                let status = exitStatus(of: child)
                try demand(status == 0, "the child ended with \(status)")
                try demand(descriptor.take()?.sender == getpid())
            }
        }
    }
}

/// For a child; it ends by itself when nobody kills it.
private func waitToBeKilled() -> Never {
    alarm(60)
    while true { pause() }
}

/// Runs a closure in a child that has one thread, and fails if it throws.
func demandInChild(line: Int = #line, _ body: () throws -> Void) throws {
    let child = forkProcess()
    if child == 0 {
        do {
            try body()
            _exit(0)
        } catch {
            let text = "in the child: \(error)\n"
            fflush(nil)
            _ = write(2, text, text.utf8.count)
            _exit(1)
        }
    }
    try demand(exitStatus(of: child) == 0, "the child failed", line: line)
}
