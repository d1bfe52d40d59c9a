import Histogram
import LinuxDescriptors
import LinuxRings
import Load
import Loops
import Meters
import Records
import Runs
import Testing

/// One way of running the accept workload.
package struct Combination: Sendable, CustomTestStringConvertible {
    package let mode: Mode
    package let topology: Topology
    package let listener: ListenerSharing
    package let implementation: Implementation

    package init(mode: Mode, topology: Topology, listener: ListenerSharing, implementation: Implementation) {
        (self.mode, self.topology, self.listener, self.implementation) = (mode, topology, listener, implementation)
    }

    package var testDescription: String {
        "\(mode.name) \(topology.rawValue) \(listener.rawValue) \(implementation.rawValue)"
    }

    /// A plan with this combination and no warm-up.
    package func plan(workers: Int = 1, _ load: LoadPlan.Pace = .closedLoop) -> RunPlan {
        var plan = RunPlan(mode: mode)
        plan.loop.topology = topology
        plan.server.listener = listener
        plan.loop.implementation = implementation
        plan.server.workers = workers
        plan.load.pace = load
        plan.warmupNanoseconds = 0
        plan.durationNanoseconds = 50_000_000
        return plan
    }

    /// Every mode that this kernel supports, with everything that it can be combined with; a variant with one listener,
    /// for it differs in its wait.
    package static let all: [Combination] = supportedModes(.accept).flatMap { mode in
        mode.topologies.flatMap { topology in
            (mode.base == nil ? ListenerSharing.allCases : [.shared]).flatMap { listener in
                Implementation.allCases.filter { $0 == .swift || mode.capabilities.references.contains(.accept) }.map {
                    Combination(mode: mode, topology: topology, listener: listener, implementation: $0)
                }
            }
        }
    }

    /// Every mode that echoes, with every topology that it has.
    package static let echoing: [Combination] = supportedModes(.read, or: .crr).filter {
        $0.capabilities.wires.contains(.echo)
    }.flatMap { mode in
        mode.topologies.map { Combination(mode: mode, topology: $0, listener: .shared, implementation: .swift) }
    }

    /// What speaks in C.
    package static let speakingInC: [Combination] = supportedModes(.read).filter {
        $0.capabilities.references.contains(.read)
    }
    .map { Combination(mode: $0, topology: $0.topologies[0], listener: .shared, implementation: .c) }

    /// One combination for each mode and implementation.
    package static let defaults = all.filter { $0.topology == $0.mode.topologies[0] && $0.listener == .shared }

    /// A mode with its defaults; `nil` where the kernel lacks it.
    package static func named(_ mode: String) -> Combination? {
        defaults.first { $0.mode.name == mode && $0.implementation == .swift }
    }
}

private func supportedModes(_ workload: Workload, or other: Workload? = nil) -> [Mode] {
    let rings = RingSupport.probe()
    return Mode.every.filter { $0.serves(workload) || other.map($0.serves) ?? false }.filter { mode in
        guard let reason = mode.unsupportedReason(rings: rings, for: workload) else { return true }
        print("skipped: \(mode.name): \(reason)")
        return false
    }
}

/// Runs a plan; again when another program let an accept queue overflow, which voids a run, or kept the processors for
/// the whole window.
package func measure(_ plan: RunPlan) throws -> Measurement {
    _ = try DescriptorLimit.raise()
    let interruption = try Interruption()
    for _ in 0..<20 {
        let measurement = try measure(plan, interruption)
        let isIdle = measurement.reason.hasPrefix("no operation") || measurement.latencies.totalCount == 0
        if measurement.status != .void && !isIdle { return measurement }
    }
    return try measure(plan, interruption)
}
