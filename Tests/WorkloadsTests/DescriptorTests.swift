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
            let hard = try DescriptorLimit.raise().hard
            let plan = try {
                var plan = try #require(Combination.named("epoll-lt")).plan(.drain(200))
                plan.service = ServiceTime(distribution: .fixed(10_000_000), work: .sleep)
                return plan
            }()
            let before = openDescriptors()
            let sockets = openDescriptors("socket:")
            let run = BenchThread("drain", processor: nil) { [plan] () throws(Errno) in
                let interruption = try Interruption()
                return Result { () throws(RunError) in try measureAccept(plan, interruption) }
            }
            // When all are queued behind the listener, no descriptor is left for accept4(2).
            while openDescriptors("socket:") < sockets + 201 { usleep(1000) }
            var none = rlimit(rlim_cur: 3, rlim_max: hard)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
            let measurement = try run.join().get().get()
            _ = try DescriptorLimit.raise()
            #expect(measurement.status == .failed)
            #expect(measurement.reason == "a worker stopped: \(Errno.tooManyOpenFiles)")
            #expect(settles(at: before))
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
                let error = #expect(throws: RunError.self) { try measureAccept(plan, interruption) }
                _ = try DescriptorLimit.raise()
                #expect(error?.description == "client: \(Errno.tooManyOpenFiles)")
                #expect(settles(at: before))
            }
        }
    }
}
