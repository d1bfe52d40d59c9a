import CIOUring
import Meters
import Reference
import Testing

@testable import LinuxRings
@testable import Workloads

@Suite struct ModeTableTests {
    @Test func everyModeHasANameOfItsOwn() {
        let names = Mode.all.map(\.name) + Mode.all.compactMap(\.alias)
        #expect(Set(names).count == names.count)
        for mode in Mode.all {
            #expect(Mode.named(mode.name)?.name == mode.name)
            if let alias = mode.alias { #expect(Mode.named(alias)?.name == mode.name) }
            #expect(!mode.topologies.isEmpty && !mode.summary.isEmpty)
        }
        #expect(Mode.named("") == nil && Mode.named("EPOLL-LT") == nil)
    }

    @Test func ringModesAreUnsupportedWithoutRingsAndOthersAreNot() {
        for mode in Mode.all {
            let reason = mode.unsupportedReason(rings: .unavailable("forbidden"))
            #expect(reason == (mode.mechanism.usesRing ? "forbidden" : nil))
        }
    }

    @Test func whatReceivesManyTimesNeedsAKernelThatCan() {
        // As Linux 5.19 has it: all that the modes ask for, but no IORING_OP_SEND_ZC.
        let operations = Set(UInt8(0)..<UInt8(IORING_OP_SEND_ZC.rawValue))
        let rings = RingSupport.available(RingCapabilities(features: .skipSuccess, operations: operations))
        for mode in Mode.all {
            #expect(mode.unsupportedReason(rings: rings) == nil)
            var isMultishot = false
            if case .ringMultishot = mode.mechanism { isMultishot = true }
            for workload in [Workload.read, .crr] {
                let reason = mode.unsupportedReason(rings: rings, for: workload)
                #expect(reason?.contains("no multishot receive") == (isMultishot ? true : nil))
            }
        }
    }

    @Test func swiftAndCCountIntoTheSamePlaces() {
        let pairs: [(WorkerCount, reference_count)] = [
            (.operations, REFERENCE_OPERATIONS), (.wakeups, REFERENCE_WAKEUPS),
            (.spuriousWakeups, REFERENCE_SPURIOUS_WAKEUPS), (.emptyCalls, REFERENCE_EMPTY_CALLS),
            (.systemCalls, REFERENCE_SYSTEM_CALLS), (.submissions, REFERENCE_SUBMISSIONS),
            (.completions, REFERENCE_COMPLETIONS), (.rearms, REFERENCE_REARMS),
        ]
        for (swift, c) in pairs { #expect(swift.rawValue == Int(c.rawValue)) }
    }

    @Test func thePlanCountsItsDescriptors() {
        var plan = RunPlan(mode: Mode.all[0])
        plan.connections = 1000
        #expect(plan.outstanding == 1000)
        #expect(plan.descriptorsNeeded >= 1000)
        plan.load = .drain(5000)
        #expect(plan.outstanding == 5000)
        #expect(plan.descriptorsNeeded >= 5000)
    }
}
