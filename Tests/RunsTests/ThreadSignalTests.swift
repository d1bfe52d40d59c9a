import CBenchExtras
import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import Records
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Runs

/// Threads that are woken by a signal of their own.
@Suite(.serialized) struct ThreadSignalTests {
    /// What waits for some thread of this process, or for all: the words of `/proc/self/task/*/status`.
    private func isPending(_ signal: CInt) throws -> Bool {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
        return tasks.contains { task in
            let status = (try? String(contentsOfFile: "/proc/self/task/\(task)/status", encoding: .utf8)) ?? ""
            return status.split(separator: "\n").contains { line in
                guard line.hasPrefix("SigPnd:") || line.hasPrefix("ShdPnd:") else { return false }
                let word = line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
                return word & 1 << UInt64(signal - 1) != 0
            }
        }
    }

    /// The last signal may reach a thread that is about to end, and goes with it.
    private func isLeft(_ signal: CInt) throws -> Bool {
        for _ in 0..<5000 {
            if try !isPending(signal) { return false }
            usleep(1000)
        }
        return true
    }

    @Test(arguments: Mode.all.filter { $0.capabilities.signals.contains(.signalfd) }.map(\.name))
    func aPingPongLeavesNothing(_ name: String) throws {
        var plan = RunPlan(.wake, mode: try #require(Mode.named(name)))
        plan.wake.signal = .signalfd
        (plan.warmupNanoseconds, plan.durationNanoseconds) = (5_000_000, 80_000_000)
        if let reason = plan.unsupportedReason(rings: RingSupport.probe()) { return print("skipped: \(reason)") }
        let interruption = try Interruption()
        let blocked = SignalSet.blocked
        var row = RunRecord(plan)
        for _ in 0..<10 {
            row = RunRecord(plan)
            try measure(plan, interruption).fill(&row, plan)
            if !row.reason.hasPrefix("no operation") { break }
        }
        #expect(row.status == .ok && row.operations > 0 && row.errors == 0, "\(row.reason)")
        #expect(row.oneWayMinNs != nil && row.latencyMinNs != nil && row.spuriousWakeupsPerOp == 0)
        #expect(try !isLeft(ThreadSignal.number))
        #expect(SignalSet.blocked == blocked)
        #expect(!interruption.isRequested && ThreadSignal.number != SecondSignal.mark)
    }

    /// The signals of the user are seen as ever, by whatever the threads of the run are woken.
    @Test(arguments: [(WakeShape.pingPong, WakeSignal.signalfd), (.timer, .timerfd), (.timer, .waitTimeout)])
    func aRunIsInterrupted(_ shape: WakeShape, _ signal: WakeSignal) throws {
        var plan = RunPlan(.wake, mode: try #require(Mode.named("epoll-et")))
        (plan.wake.shape, plan.wake.signal) = (shape, signal)
        plan.durationNanoseconds = 600_000_000_000
        if let reason = plan.unsupportedReason(rings: RingSupport.probe()) { return print("skipped: \(reason)") }
        // A thread of its own, so that the signal stays with it.
        let measurement = try onOwnThread { [plan] in
            let interruption = try Interruption()
            pthread_kill(pthread_self(), SIGINT)
            return try measure(plan, interruption)
        }
        #expect(measurement.status == .partial && measurement.reason == "interrupted")
        #expect(try !isLeft(ThreadSignal.number))
    }

    /// A side whose thread or ring is there only after all has ended was not woken, and does not wait.
    @Test(arguments: WakeSignal.allCases.filter { !$0.isTimer }) func aSideThatComesTooLateEnds(
        _ signal: WakeSignal
    ) throws {
        let names: [WakeSignal: String] = [.futex: "blocking", .messageRing: "uring-single"]
        let mode = try #require(Mode.named(names[signal] ?? "epoll-et"))
        var wake = WakePlan()
        wake.signal = signal
        if let reason = wake.unsupportedReason(rings: RingSupport.probe(), in: mode) {
            return print("skipped: \(reason)")
        }
        let (state, meters) = (PingPongState(), WorkerMeters(count: 1))
        let (mine, partner) = (try WakeChannel(signal, for: mode), try WakeChannel(signal, for: mode))
        state.over.value = 1
        mine.wakeFromOutside()
        let operations = try onOwnThread {
            let side = PingPongSide(state, meters[0], loadEnd: .max)
            var thread = PingPong(state: state, side: side, partner: partner, isReference: false) {}
            try thread.run(mode, on: mine)
            return meters[0][.operations]
        }
        #expect(operations == 0)
    }

    @Test func everySignalIsReadAndTheRestForgotten() throws {
        let channel = try WakeChannel(.signalfd, nonblocking: true)
        let meters = WorkerMeters(count: 1)
        defer { withExtendedLifetime(meters) {} }
        let outcome = try onOwnThread { () -> (read: Int, left: Bool) in
            let blocked = try channel.beginReceiving()
            for _ in 0..<100 { try channel.sendThreadSignal() }
            var read = 0
            while try channel.signals.take(meters[0]) { read += 1 }
            for _ in 0..<5 { try channel.sendThreadSignal() }
            channel.endReceiving(blocked)
            // Nobody receives any more.
            try channel.sendThreadSignal()
            return (read, SignalSet.pending.contains(ThreadSignal.number))
        }
        #expect(outcome.read == 100 && !outcome.left)
        #expect(meters[0][.emptyCalls] == 1)
        #expect(try !isLeft(ThreadSignal.number))
    }

    /// Each reads what was sent to it.
    @Test func aSignalReachesItsThreadAlone() throws {
        let (one, other) = (
            try WakeChannel(.signalfd, nonblocking: true), try WakeChannel(.signalfd, nonblocking: true)
        )
        let meters = WorkerMeters(count: 2)
        defer { withExtendedLifetime(meters) {} }
        let (ready, sent) = (StartGate(), StartGate())
        @Sendable func count(_ channel: WakeChannel, _ index: Int) throws(Errno) -> Int {
            let blocked = try channel.beginReceiving()
            defer { channel.endReceiving(blocked) }
            ready.arriveOnly()
            sent.arriveAndWait()
            var read = 0
            while try channel.signals.take(meters[index]) { read += 1 }
            return read
        }
        let threads = [one, other].enumerated().map { index, channel in
            BenchThread("signalled", processor: nil) { () throws(Errno) in try count(channel, index) }
        }
        ready.waitForArrivals(2)
        for _ in 0..<3 { try one.sendThreadSignal() }
        try other.sendThreadSignal()
        sent.open()
        #expect(try threads.map { try $0.join().get() } == [3, 1])
    }

    /// A signal that comes too late does not end the process.
    @Test func aThreadThatDoesNotWaitForItLivesOn() throws {
        let channel = try WakeChannel(.signalfd, nonblocking: true)
        let lives = try onOwnThread { () -> Bool in
            channel.endReceiving(try channel.beginReceiving())
            // Threads of tests block most signals.
            let signals: SignalSet = [ThreadSignal.number]
            signals.unblock()
            return c_send_to_thread(getpid(), c_gettid(), ThreadSignal.number) == 0
        }
        #expect(lives)
    }
}
