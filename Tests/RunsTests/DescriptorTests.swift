import Foundation
import Glibc
import LinuxDescriptors
import Records
import RunSupport
import SystemPackage
import TestSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Sets of which only the harness opens any, and what they are called in `/proc`.
private let kinds = ["socket:", "anon_inode:[io_uring]", "anon_inode:bpf-prog", "anon_inode:bpf-map"]

/// Descriptors of these kinds in the table of the thread with this entry in `/proc`.
private func open(_ kinds: [String], in thread: String = "/proc/thread-self") -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(thread)/fd")) ?? []
    return names.count { name in
        let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(thread)/fd/\(name)")) ?? ""
        return kinds.contains { target.hasPrefix($0) }
    }
}

/// Each in a process of its own, because a limit is the process's, and other tests open descriptors at the same time.
@Suite(.serialized) struct DescriptorTests {
    @Test func finishedRunsLeaveNothingOpen() async {
        await #expect(processExitsWith: .success) {
            _ = try DescriptorLimit.raise()
            let interruption = try Interruption()
            let before = open(kinds)
            for combination in Combination.all.filter({ $0.implementation == .swift }) {
                for load in [LoadPlan.Pace.closedLoop, .drain(20)] {
                    var plan = combination.plan(workers: 2, load)
                    plan.durationNanoseconds = 5_000_000
                    _ = try measure(plan, interruption)
                    let left = open(kinds)
                    #expect(left == before, "\(combination.testDescription), \(load)")
                }
            }
        }
    }

    @Test func interruptedRunsLeaveNothingOpen() async {
        await #expect(processExitsWith: .success) {
            let interruption = try Interruption()
            // Without a suspension from here on: a signal to a thread waits for that thread alone.
            raise(SIGINT)
            let before = open(kinds)
            for combination in Combination.defaults {
                for load in [LoadPlan.Pace.closedLoop, .drain(200)] {
                    _ = try measure(combination.plan(workers: 2, load), interruption)
                    let left = open(kinds)
                    #expect(left == before, "\(combination.testDescription), \(load)")
                }
            }
        }
    }

    @Test(arguments: ["crr", "read"]) func echoRunsLeaveNothingOpen(_ workload: String) async {
        await #expect(processExitsWith: .success) { [workload] in
            _ = try DescriptorLimit.raise()
            let interruption = try Interruption()
            for isInterrupted in [false, true] {
                // Without a suspension from here on: a signal to a thread waits for that thread alone.
                if isInterrupted { raise(SIGINT) }
                for combination in EchoRunTests.combinations {
                    var plan = RunPlan(try #require(Workload(rawValue: workload)), mode: combination.mode)
                    plan.loop.topology = combination.topology
                    plan.server.workers = 2
                    plan.load.connections = 16
                    plan.load.idle = workload == "read" && combination.mode.mechanism != .blocking ? 4 : 0
                    plan.warmupNanoseconds = 0
                    plan.durationNanoseconds = 5_000_000
                    // Some are busy when the end comes.
                    plan.server.service = ServiceTime(distribution: .exponential(mean: 100_000), work: .sleep)
                    for _ in 0..<3 {
                        let before = open(kinds)
                        let measurement = try measure(plan, interruption)
                        if isInterrupted { #expect(measurement.status == .partial) }
                        let left = open(kinds)
                        #expect(left == before, "\(combination.testDescription), interrupted: \(isInterrupted)")
                    }
                }
            }
        }
    }

    @Test func aWorkerOutOfDescriptorsFailsTheDrain() async {
        await #expect(processExitsWith: .success) {
            try withTakenDescriptors {
                var plan = try #require(Combination.named("epoll-lt")).plan(.drain(200))
                // Two seconds, of which the first moment is enough.
                plan.server.service = ServiceTime(distribution: .fixed(10_000_000), work: .sleep)
                let before = open(["socket:"])
                let run = BenchThread("drain", processor: nil) { [plan] () throws(Errno) in
                    let interruption = try Interruption()
                    return Result { () throws(RunError) in try measure(plan, interruption) }
                }
                // The listener and a connection that is being served: from here on the worker needs no more than one at a
                // time.
                try waitUntilOpen(before + 2)
                try allowNoMoreDescriptors()
                let measurement = try run.join().get().get()
                _ = try DescriptorLimit.raise()
                try #require(measurement.status == .failed)
                try #require(measurement.reason == "a worker stopped: \(Errno.tooManyOpenFiles)")
            }
        }
    }

    /// A second without descriptors: the queue is kept, the worker sleeps, and everybody is served after.
    @Test(arguments: outlasting) func aDrainOutlastsAShortage(_ mode: String) async {
        // An exit test captures nothing but what can be sent along.
        await #expect(processExitsWith: .success) { [mode] in
            try withTakenDescriptors { [mode] in
                var plan = try #require(Combination.named(mode)).plan(.drain(200))
                plan.server.service = ServiceTime(distribution: .fixed(1_000_000), work: .sleep)
                let measurement = try measureThroughAShortage(plan, milliseconds: 1000)
                try #require(measurement.perWorker.reduce(0, +) == 200, "connections were lost")
                let shortages = measurement.totals[.shortages, default: 0]
                // A pause is a hundredth of a second, so there is no room for more in the time of a drain.
                try #require(shortages > 0 && shortages <= 100 + measurement.durationNanoseconds / 10_000_000)
                try #require(measurement.status == .void, "\(measurement.reason)")
            }
        }
    }

    /// While descriptors are missing the connections that have one are served, and the others after.
    @Test(arguments: outlasting) func connectionsWaitForADescriptorAndNotForEachOther(_ mode: String) async {
        await #expect(processExitsWith: .success) { [mode] in
            try withTakenDescriptors { [mode] in
                var plan = RunPlan(.crr, mode: try #require(Mode.named(mode)))
                plan.load.connections = 32
                plan.warmupNanoseconds = 0
                plan.durationNanoseconds = 700_000_000
                plan.server.service = ServiceTime(distribution: .fixed(1_000_000), work: .sleep)
                let measurement = try measureThroughAShortage(plan, milliseconds: 300)
                try #require(measurement.lost == 0 && measurement.perWorker.reduce(0, +) > 0, "connections were lost")
                let shortages = measurement.totals[.shortages, default: 0]
                try #require(shortages > 0 && shortages <= 2 * (100 + measurement.durationNanoseconds / 10_000_000))
                try #require(measurement.status == .void, "\(measurement.reason)")
            }
        }
    }

    private static let outlasting = [
        "blocking", "select", "poll", "epoll-lt", "epoll-et", "epoll-oneshot", "dispatcher", "uring-single",
        "uring-multishot", "uring-poll", "interest-set", "descriptor-ring",
    ]

    @Test(arguments: ["accept", "crr", "read"])
    func aClientOutOfDescriptorsFailsTheRunAndClosesWhatItHad(_ workload: String) async {
        await #expect(processExitsWith: .success) { [workload] in
            try withOwnDescriptorTable { [workload] in
                let interruption = try Interruption()
                var plan = RunPlan(
                    try #require(Workload(rawValue: workload)), mode: try #require(Mode.named("epoll-lt")))
                plan.load.connections = 500
                plan.warmupNanoseconds = 0
                plan.durationNanoseconds = 600_000_000_000
                let before = open(kinds)
                // A client's table begins with three; the server's accepts what is left of the limit.
                try limitDescriptors(to: UInt(openDescriptors() + 60))
                switch Result(catching: { try measure(plan, interruption) }) {
                case .failure(let error):
                    try #require("\(error)".hasSuffix("\(Errno.tooManyOpenFiles)"))
                case .success(let measurement):
                    try #require(measurement.status == .failed)
                    try #require(measurement.reason.hasSuffix("\(Errno.tooManyOpenFiles)"))
                }
                try #require(open(kinds) == before)
            }
        }
    }
}

/// Waits until so many sockets are open, and still are after a moment: a run asks for the interface of its load by sockets of
/// its own, which it closes at once.
private func waitUntilOpen(_ sockets: Int) throws {
    let areOpen = eventually {
        guard open(["socket:"]) >= sockets else { return false }
        usleep(3000)
        return open(["socket:"]) >= sockets
    }
    try #require(areOpen)
}

/// Carries out a run in whose course no descriptor can be opened for a while.
private func measureThroughAShortage(_ plan: RunPlan, milliseconds: useconds_t) throws -> Runs.Measurement {
    let before = open(["socket:"])
    let run = BenchThread("run", processor: nil) { [plan] () throws(Errno) in
        let interruption = try Interruption()
        return Result { () throws(RunError) in try measure(plan, interruption) }
    }
    // The listener, what the library's types open beside it, and the first connection. Both duplicate the listener, and an
    // InterestSet knows its own epoll set by a socket.
    let own = ["interest-set": 2, "descriptor-ring": 1][plan.name] ?? 0
    try waitUntilOpen(before + 2 + own)
    try allowNoMoreDescriptors()
    let taken = try fillDescriptorTable()
    usleep(milliseconds * 1000)
    for descriptor in taken { try descriptor.close() }
    _ = try DescriptorLimit.raise()
    return try run.join().get().get()
}
