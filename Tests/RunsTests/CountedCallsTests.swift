import LinuxDescriptors
import Records
import RunSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// What the kernel counts against what the loops say that they do.
@Suite(
    .serialized, .enabled(if: AllocationCount.isCounted, "the runtime of a sanitizer makes system calls of its own")
) struct CountedCallsTests {
    /// Counts a plan; nil, said on standard output, where the kernel or the user's privileges lack the source.
    private func count(_ plan: RunPlan, _ source: CallCounter.Source) throws -> CountedCalls? {
        do throws(CallCounterRefusal) {
            _ = try CallCounter(threads: 1, sources: [source])
        } catch {
            print("skipped: \(error)")
            return nil
        }
        _ = try DescriptorLimit.raise()
        return try countCalls(plan, throughput: 10_000, sources: [source], try Interruption())
    }

    private func pool(_ mode: String) throws -> RunPlan {
        var plan = RunPlan(.wake, mode: try #require(Mode.named(mode)))
        plan.loop.topology = .sharedSet
        plan.wake.shape = .pool
        plan.wake.descriptors = .perTask
        plan.wake.tasks = 2000
        return plan
    }

    @Test(arguments: Combination.defaults) func loopsOfAcceptingCountWhatTheKernelDoes(
        _ combination: Combination
    ) throws {
        guard let counted = try count(combination.plan(.drain(1000)), .bpf) else { return }
        #expect(counted.source == .bpf && counted.disagreement == nil)
        #expect(abs(counted.byName.values.reduce(0, +) - counted.perOperation) < 1e-6)
    }

    @Test(arguments: ["epoll-et", "epoll-oneshot"]) func loopsOfAPoolDo(_ mode: String) throws {
        guard let counted = try count(try pool(mode), .bpf) else { return }
        #expect(counted.disagreement == nil && counted.byName["read", default: 0] >= 1)
    }

    @Test func perfCountsATotalInARunToo() throws {
        let accept = try #require(Combination.named("epoll-lt")).plan(.drain(1000))
        for plan in [accept, try pool("epoll-oneshot")] {
            guard let counted = try count(plan, .perf) else { return }
            #expect(counted.source == .perf && counted.byName.isEmpty && counted.disagreement == nil)
            #expect(counted.perOperation > 1.9)
        }
    }

    @Test func theNoteNamesWhatNoLoopCalls() {
        func counted(_ calls: [Int: UInt64], loop: UInt64) -> String? {
            var numbers = [UInt64](repeating: 0, count: CallCounts.places)
            for (number, count) in calls { numbers[number] = count }
            return CountedCalls(
                source: .bpf, counts: CallCounts(byNumber: numbers), operations: 1000, loop: loop, threads: 1
            ).disagreement
        }
        // A number without a name stands for a call that no loop makes.
        #expect(
            counted([500: 1000], loop: 0) == "the loop counted 0.00 calls, the kernel 1.00: +1.00 syscall_500")
        #expect(counted([500: 1000], loop: 995) == nil)
    }
}
