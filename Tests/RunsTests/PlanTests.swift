import CIOUring
import Records
import Testing

@testable import LinuxRings
@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs

@Suite struct PlanTests {
    @Test func aMessageFromRingToRingNeedsMoreThanItsMode() throws {
        var plan = RunPlan(.wake, mode: try #require(Mode.named("uring-single")))
        plan.wake.signal = .messageRing
        /// A kernel that has the operations before one.
        func rings(_ features: RingFeatures, before operation: UInt32) -> RingSupport {
            .available(RingCapabilities(features: features, operations: Set(UInt8(0)..<UInt8(operation))))
        }
        // Linux 5.10, 5.17 and 5.18.
        for features in [RingFeatures.extendedArgument, .skipSuccess] {
            let reason = plan.unsupportedReason(rings: rings(features, before: IORING_OP_MSG_RING.rawValue))
            #expect(reason?.contains("Linux 5.18 has") == true)
        }
        #expect(plan.unsupportedReason(rings: rings(.skipSuccess, before: IORING_OP_FSETXATTR.rawValue)) == nil)
        #expect(plan.unsupportedReason(rings: .unavailable("forbidden")) == "forbidden")
    }

    @Test(
        arguments: [
            (100_000.0, 990_000, 1_000_000_000), (1_000, 990_000, 1_200_000_000), (700, 990_000, 1_800_000_000),
            (100, 990_000, 10_000_000_000), (0.001, 990_000, 10_000_000_000), (10_000, 999_000, 1_200_000_000),
        ] as [(Double, UInt64, UInt64)])
    func anOpenLoopLastsUntilItsPercentileExists(rate: Double, perMillion: UInt64, nanoseconds: UInt64) {
        var plan = RunPlan(mode: Mode.all[0])
        plan.load.pace = .openLoop(perSecond: rate)
        plan.lengthen(forPercentile: perMillion)
        #expect(plan.durationNanoseconds == nanoseconds)
    }

    @Test func closedLoopsAndSearchesKeepTheirLength() {
        var plan = RunPlan(mode: Mode.all[0])
        plan.lengthen(forPercentile: 999_000)
        #expect(plan.durationNanoseconds == 1_000_000_000)
        plan.load.pace = .openLoop(perSecond: 1)
        plan.objective = ServiceObjective("p99=1ms")
        plan.lengthen(forPercentile: 999_000)
        #expect(plan.durationNanoseconds == 1_000_000_000)
    }

    @Test func thePlanCountsItsDescriptors() {
        var plan = RunPlan(mode: Mode.all[0])
        plan.load.connections = 1000
        #expect(plan.load.traffic.connections == 1000)
        #expect(plan.descriptorsNeeded >= 1000)
        plan.load.pace = .drain(5000)
        #expect(plan.load.traffic.connections == 5000)
        #expect(plan.descriptorsNeeded >= 5000)
    }
}
