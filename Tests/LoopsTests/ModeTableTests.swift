import CIOUring
import Reference
import Testing

@testable import LinuxRings
@testable import Loops
@testable import Meters

@Suite struct ModeTableTests {
    @Test func everyModeHasANameOfItsOwn() {
        let names = Mode.every.map(\.name) + Mode.every.compactMap(\.alias)
        #expect(Set(names).count == names.count)
        for mode in Mode.every {
            #expect(Mode.named(mode.name)?.name == mode.name)
            if let alias = mode.alias { #expect(Mode.named(alias)?.name == mode.name) }
            #expect(!mode.topologies.isEmpty && !mode.summary.isEmpty)
        }
        #expect(Mode.named("") == nil && Mode.named("EPOLL-LT") == nil)
    }

    @Test func allAreTheClassicModesAndEverythingIsTheRestToo() {
        #expect(Mode.all.count == 13 && Mode.all.allSatisfy { $0.base == nil })
        #expect(Mode.every.map(\.name) == (Mode.all + Mode.ofLibrary + Mode.variants).map(\.name))
        for variant in Mode.variants {
            let base = variant.base.flatMap(Mode.named)
            #expect(base != nil && base?.base == nil, "\(variant.name)")
            let isAnother = variant.options != base?.options || variant.mechanism != base?.mechanism
            #expect(isAnother, "\(variant.name)")
            for workload in [Workload.accept, .crr, .read] {
                #expect((variant.refusal(for: workload) == nil) == variant.serves(workload))
            }
        }
    }

    @Test func whatPollsDevicesIsRefusedForClientsOnThisMachineAlone() {
        let polling = Mode.variants.filter(\.capabilities.pollsDevices)
        #expect(polling.map(\.name).sorted() == ["epoll-busy-poll", "uring-napi"])
        let rings = RingSupport.probe()
        for mode in polling {
            let (near, far) = [true, false].map { mode.unsupportedReason(rings: rings, isLocal: $0) }.pair
            // A kernel without it says so for both.
            #expect(near != nil && (far == nil || near == far))
            #expect(near?.contains("\n") == false)
            if far == nil { #expect(near?.contains("loopback") == true) }
        }
    }

    @Test func ringModesAreUnsupportedWithoutRingsAndOthersAreNot() {
        for mode in Mode.every {
            let reason = mode.unsupportedReason(rings: .unavailable("forbidden"))
            // What a variant needs beside a ring this kernel may lack.
            if mode.capabilities.usesRing { #expect(reason == "forbidden") }
            if !mode.capabilities.usesRing && mode.base == nil { #expect(reason == nil) }
        }
    }

    @Test func whatReceivesManyTimesNeedsAKernelThatCan() {
        // As Linux 5.19 has it: all that the modes ask for, but no IORING_OP_SEND_ZC.
        let operations = Set(UInt8(0)..<UInt8(IORING_OP_SEND_ZC.rawValue))
        let rings = RingSupport.available(
            RingCapabilities(
                features: [.skipSuccess, .fastPoll, RingFeatures(rawValue: UInt32(IORING_FEAT_RSRC_TAGS))],
                operations: operations))
        for mode in Mode.every where mode.base == nil {
            #expect(mode.unsupportedReason(rings: rings) == nil)
            let isMultishot = [.ringMultishot, .ringHandoff].contains(mode.mechanism)
            for workload in [Workload.read, .crr] {
                let reason = mode.unsupportedReason(rings: rings, for: workload)
                #expect(reason?.contains("no multishot receive") == (isMultishot ? true : nil))
            }
        }
    }

    /// What a kernel says of itself.
    private func rings(_ kernel: KernelVersion) -> RingSupport {
        let firstMissing: UInt32 =
            switch kernel {
            case ..<KernelVersion(5, 18): IORING_OP_MSG_RING.rawValue
            case ..<KernelVersion(5, 19): IORING_OP_FSETXATTR.rawValue
            case ..<KernelVersion(6, 0): IORING_OP_SEND_ZC.rawValue
            case ..<KernelVersion(6, 15): IORING_OP_SEND_ZC.rawValue + 1
            default: UInt32(C_IORING_OP_EPOLL_WAIT) + 1
            }
        var features: RingFeatures = [.fastPoll, .extendedArgument]
        if kernel >= KernelVersion(5, 17) {
            features.formUnion([.skipSuccess, RingFeatures(rawValue: UInt32(IORING_FEAT_RSRC_TAGS))])
        }
        if kernel >= KernelVersion(6, 10) { features.insert(.bundles) }
        if kernel >= KernelVersion(6, 12) { features.insert(.minimumWait) }
        var setups: RingSetup = []
        if kernel >= KernelVersion(5, 13) {
            features.insert(.pollerTakesDescriptors)
            setups.insert(.submissionPolling)
        }
        // Of more than a page.
        if kernel >= KernelVersion(6, 10) { setups.insert(.callerMemory) }
        if kernel >= KernelVersion(6, 18) { setups.insert(.mixedCompletions) }
        var capabilities = RingCapabilities(
            features: features, operations: Set(UInt8(0)..<UInt8(firstMissing)), setups: setups,
            incrementalBuffers: kernel >= KernelVersion(6, 12))
        capabilities.busyPolling = kernel >= KernelVersion(6, 9)
        capabilities.registeredWaits = kernel >= KernelVersion(6, 13)
        return .available(capabilities)
    }

    /// The first kernel for all workloads, and for accepting alone, of variants of how a ring waits and is set up.
    private static let waitingNeeds: [String: (all: KernelVersion, accept: KernelVersion)] = [
        "uring-wait-for": (KernelVersion(6, 0), KernelVersion(5, 19)),
        "uring-spin": (KernelVersion(6, 0), KernelVersion(5, 19)),
        "uring-registered-ring": (KernelVersion(6, 0), KernelVersion(5, 19)),
        "uring-napi": (KernelVersion(6, 9), KernelVersion(6, 9)),
        "uring-no-mmap": (KernelVersion(6, 10), KernelVersion(6, 10)),
        "uring-min-wait": (KernelVersion(6, 12), KernelVersion(6, 12)),
        "uring-registered-wait": (KernelVersion(6, 13), KernelVersion(6, 13)),
        "uring-mixed": (KernelVersion(6, 18), KernelVersion(6, 18)),
    ]

    @Test func theFirstKernelThatHasEverythingIsNamed() throws {
        let kernels = [
            (5, 10), (5, 17), (5, 18), (5, 19), (6, 0), (6, 9), (6, 10), (6, 12), (6, 13), (6, 15), (6, 17), (6, 18),
        ].map { KernelVersion($0.0, $0.1) }
        // What each mode needs, for all workloads and for accepting alone.
        let needs: [String: (all: KernelVersion, accept: KernelVersion)] = [
            "uring-single": (KernelVersion(5, 17), KernelVersion(5, 17)),
            "uring-poll": (KernelVersion(5, 17), KernelVersion(5, 17)),
            "uring-multishot": (KernelVersion(6, 0), KernelVersion(5, 19)),
            "uring-direct": (KernelVersion(6, 0), KernelVersion(5, 19)),
            "descriptor-ring": (KernelVersion(5, 19), KernelVersion(5, 19)),
            "async-ring": (KernelVersion(5, 7), KernelVersion(5, 7)),
            "uring-epoll-wait": (KernelVersion(6, 15), KernelVersion(6, 15)),
            "uring-dispatcher": (KernelVersion(5, 19), KernelVersion(5, 19)),
            "uring-handoff": (KernelVersion(6, 0), KernelVersion(5, 19)),
            "uring-zerocopy": (KernelVersion(6, 0), KernelVersion(6, 0)),
            "uring-zerocopy-fixed": (KernelVersion(6, 0), KernelVersion(6, 0)),
            "uring-sqpoll": (KernelVersion(6, 0), KernelVersion(5, 19)),
            "uring-bundle": (KernelVersion(6, 10), KernelVersion(6, 10)),
            "uring-incremental": (KernelVersion(6, 12), KernelVersion(6, 12)),
            "uring-bundle-incremental": (KernelVersion(6, 12), KernelVersion(6, 12)),
        ].merging(Self.waitingNeeds) { $1 }
        #expect(Set(needs.keys) == Set(Mode.every.filter(\.capabilities.usesRing).map(\.name)))
        for (name, need) in needs {
            let mode = try #require(Mode.named(name))
            #expect(mode.kernel == need.all.description)
            for kernel in kernels {
                let checks: [(Workload?, KernelVersion)] = [
                    (nil, need.all), (.accept, need.accept), (.crr, need.all), (.read, need.all),
                ]
                for (workload, first) in checks {
                    let reason = mode.unsupportedReason(rings: rings(kernel), for: workload, isLocal: false)
                    #expect((reason == nil) == (kernel >= first), "\(name) on \(kernel): \(reason ?? "")")
                    if let reason {
                        #expect(
                            reason.hasSuffix("Linux \(first) has all that is needed"), "\(name) on \(kernel): \(reason)"
                        )
                    }
                }
            }
        }
    }

    @Test func whatIsMissingIsListed() throws {
        let multishot = try #require(Mode.named("uring-multishot"))
        #expect(
            multishot.unsupportedReason(rings: rings(KernelVersion(5, 10)), for: nil)
                == "this kernel has no IOSQE_CQE_SKIP_SUCCESS, no multishot accept, no provided-buffer ring and no "
                + "multishot receive; Linux 6.0 has all that is needed")
        #expect(
            multishot.unsupportedReason(rings: rings(KernelVersion(5, 19)), for: nil)
                == "this kernel has no multishot receive; Linux 6.0 has all that is needed")
    }

    @Test func swiftAndCCountIntoTheSamePlaces() {
        let pairs: [(WorkerCount, reference_count)] = [
            (.operations, REFERENCE_OPERATIONS), (.wakeups, REFERENCE_WAKEUPS),
            (.spuriousWakeups, REFERENCE_SPURIOUS_WAKEUPS), (.emptyCalls, REFERENCE_EMPTY_CALLS),
            (.systemCalls, REFERENCE_SYSTEM_CALLS), (.submissions, REFERENCE_SUBMISSIONS),
            (.completions, REFERENCE_COMPLETIONS), (.rearms, REFERENCE_REARMS),
            (.notifications, REFERENCE_NOTIFICATIONS), (.copiedNotifications, REFERENCE_COPIED_NOTIFICATIONS),
            (.receives, REFERENCE_RECEIVES), (.receivedBytes, REFERENCE_RECEIVED_BYTES),
        ]
        for (swift, c) in pairs { #expect(swift.rawValue == Int(c.rawValue)) }
    }
}

extension [String?] {
    fileprivate var pair: (String?, String?) { (self[0], self[1]) }
}
