import Foundation
import Glibc
import LinuxDescriptors
import Records
import SystemPackage
import Testing

@testable import Workloads

/// Descriptors of a kind that this process has open; the listing's own, which is closed again, is not among them.
private func openDescriptors(_ kind: String = "") -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.filter { name in
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
        return target?.hasPrefix(kind) == true
    }.count
}

/// Lets Foundation and Dispatch open what they keep open for the life of the process.
private func openWhatStays() async throws {
    try await Task.sleep(for: .milliseconds(1))
    _ = try measureAccept(try #require(Combination.named("epoll-lt")).plan(.drain(1)), Interruption())
    try await Task.sleep(for: .milliseconds(1))
}

/// True if so many are open, at the latest when threads that have ended are gone: a leak stays.
private func settles(at count: Int) -> Bool {
    for _ in 0..<5000 {
        if openDescriptors() == count { return true }
        usleep(1000)
    }
    return false
}

/// Measures a drain of 200 from whose process the free descriptors are taken when all connections are queued.
private func measureStarved(_ plan: RunPlan) throws -> Workloads.Measurement {
    let limit = try DescriptorLimit.raise()
    let sockets = openDescriptors("socket:")
    let end = try CountedEnd(of: 1)
    let run = BenchThread("drain", processor: nil) { () throws(Errno) in
        defer { end.arrive() }
        let interruption = try Interruption()
        return Result { () throws(RunError) in try measureAccept(plan, interruption) }
    }
    // One more is the listener's.
    while openDescriptors("socket:") < sockets + 201 {
        var ended = pollfd(fd: end.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        if poll(&ended, 1, 1) > 0 { break }
    }
    var none = rlimit(rlim_cur: 3, rlim_max: limit.hard)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
    let outcome = run.join()
    _ = try DescriptorLimit.raise()
    return try outcome.get().get()
}

/// Each in a process of its own, because other tests open and close descriptors at the same time.
@Suite(.serialized) struct DescriptorTests {
    @Test func finishedRunsLeaveNothingOpen() async {
        await #expect(processExitsWith: .success) {
            _ = try DescriptorLimit.raise()
            let interruption = try Interruption()
            try await openWhatStays()
            let before = openDescriptors()
            for combination in Combination.all.filter({ $0.implementation == .swift }) {
                for load in [RunPlan.Load.closedLoop, .drain(20)] {
                    var plan = combination.plan(workers: 2, load)
                    plan.durationNanoseconds = 5_000_000
                    _ = try measureAccept(plan, interruption)
                    try #require(settles(at: before), "\(combination.testDescription), \(load)")
                }
            }
        }
    }

    @Test func interruptedRunsLeaveNothingOpen() async {
        await #expect(processExitsWith: .success) {
            let interruption = try Interruption()
            try await openWhatStays()
            // Without a suspension from here on: a signal to a thread waits for that thread alone.
            raise(SIGINT)
            let before = openDescriptors()
            for combination in Combination.defaults {
                for load in [RunPlan.Load.closedLoop, .drain(200)] {
                    _ = try measureAccept(combination.plan(workers: 2, load), interruption)
                    try #require(settles(at: before), "\(combination.testDescription)")
                }
            }
        }
    }

    @Test func aWorkerOutOfDescriptorsFailsTheDrain() async {
        await #expect(processExitsWith: .success) {
            try await openWhatStays()
            var plan = try #require(Combination.named("epoll-lt")).plan(.drain(200))
            plan.service = ServiceTime(distribution: .fixed(10_000_000), work: .sleep)
            let before = openDescriptors()
            while true {
                let measurement = try measureStarved(plan)
                #expect(settles(at: before))
                // The drain may have been over before anybody looked.
                if measurement.status == .ok { continue }
                #expect(measurement.status == .failed)
                #expect(measurement.reason == "a worker stopped: \(Errno.tooManyOpenFiles)")
                return
            }
        }
    }

    @Test func aClientOutOfDescriptorsFailsTheRunAndClosesWhatItHad() async {
        await #expect(processExitsWith: .success) {
            let hard = try DescriptorLimit.raise().hard
            let interruption = try Interruption()
            for load in [RunPlan.Load.drain(500), .closedLoop] {
                var plan = try #require(Combination.named("epoll-lt")).plan(load)
                plan.connections = 500
                plan.clients = 2
                plan.service = ServiceTime(distribution: .fixed(1_000_000), work: .sleep)
                let before = openDescriptors()
                var few = rlimit(rlim_cur: UInt(before + 50), rlim_max: hard)
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &few)
                let outcome = Result { try measureAccept(plan, interruption) }
                _ = try DescriptorLimit.raise()
                switch outcome {
                case .failure(let error):
                    #expect("\(error)" == "client: \(Errno.tooManyOpenFiles)")
                case .success(let measurement):
                    // In a loop it can be the worker that finds none left, and then the run ends before the client does.
                    #expect(load == .closedLoop && measurement.status == .failed)
                    #expect(measurement.reason == "a worker stopped: \(Errno.tooManyOpenFiles)")
                }
                #expect(settles(at: before))
            }
        }
    }
}
