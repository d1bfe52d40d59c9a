package import Meters

/// How a server waits, with whose code, and where its threads run.
package struct LoopPlan: Sendable {
    /// How it waits.
    package var mode: Mode
    /// What its workers share.
    package var topology: Topology
    /// Whose loop runs.
    package var implementation = Implementation.swift
    /// Which thread runs where.
    package var placement = Placement.unpinned
    /// Seeds everything that is drawn.
    package var seed: UInt64 = 1
    /// Counts the workers' system calls in the kernel; nil in a run whose times are measured.
    package var calls: CallCounter?

    /// Takes a mode with its default topology; nothing is pinned.
    package init(mode: Mode) {
        self.mode = mode
        topology = mode.topologies[0]
    }
}

/// Whose loop runs.
package enum Implementation: String, Sendable, CaseIterable, Codable {
    /// The loops of this module.
    case swift
    /// The loops of `Benchmarks/Reference`.
    case c
}
