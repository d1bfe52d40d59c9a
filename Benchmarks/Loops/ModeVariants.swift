package import Meters

extension Mode {
    /// Modes that run the loop of another with other options, one at a time, so that the worth of each can be told.
    package static let variants: [Mode] =
        receiving + sendingVariants + pollerVariants + waitingVariants + handingVariants + datagramVariants

    /// The mode of ``all`` that a variant is made from.
    static func classic(_ name: String) -> Mode {
        guard let mode = all.first(where: { $0.name == name }) else { preconditionFailure("no mode \(name)") }
        return mode
    }

    /// A mode that runs this one's loop with other options.
    ///
    /// - Parameters:
    ///   - kernel: the first that has all it needs.
    ///   - needs: what its ring needs in addition.
    ///   - workloads: those for which it does something else than this one.
    ///   - references: those whose loop `Benchmarks/Reference` has in C.
    ///   - pollsDevices: whether it looks at the queues of network devices.
    ///   - refusal: what the machine lacks for it, beside what a ring needs: a ``KernelTrial``.
    func variant(
        _ name: String, kernel: String, needs: [RingNeed] = [], workloads: [Workload] = [.accept, .crr, .read],
        references: [Workload] = [], pollsDevices: Bool = false,
        refusal: @escaping @Sendable () -> String? = { nil }, summary: String, _ change: (inout Options) -> Void
    ) -> Mode {
        var capabilities = capabilities
        capabilities.workloads = workloads
        if !needs.isEmpty { capabilities.acceptNeeds = (capabilities.acceptNeeds ?? []) + needs }
        capabilities.references = references
        capabilities.pollsDevices = pollsDevices
        capabilities.refusal = refusal
        capabilities.signals = []
        capabilities.wakeRefusal = "\(name) is for connections; use \(self.name)"
        var mode = Mode(
            name: name, alias: nil, mechanism: mechanism, topologies: topologies, kernel: kernel, summary: summary,
            capabilities: capabilities, limits: limits, base: self.name, options: options)
        change(&mode.options)
        return mode
    }

    /// True if it does something for a workload, and something else than the mode that it is a variant of.
    package func serves(_ workload: Workload) -> Bool {
        workload == .wake ? !capabilities.signals.isEmpty : capabilities.workloads.contains(workload)
    }

    /// Why it is of no use for a workload of connections; nil if it is.
    package func refusal(for workload: Workload) -> String? {
        if workload == .datagram, !serves(workload) {
            let names = Mode.every.filter { $0.serves(workload) }.map(\.name)
            return "\(name) has no loop for --workload datagram; use \(names.dropLast().joined(separator: ", ")) or "
                + "\(names[names.count - 1])"
        }
        guard let base, !serves(workload) else { return nil }
        let others = capabilities.workloads.map(\.rawValue).joined(separator: " or ")
        return
            "\(name) does nothing for --workload \(workload.rawValue) that \(base) does not; use --workload \(others)"
    }
}
