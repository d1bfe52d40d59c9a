/// The interfaces of this host, and what of them gets in the way of a load that goes over them.
extension Diagnosis {
    static func links(_ state: MachineState) -> [Diagnosis] {
        (state.links ?? []).map { link in
            var result = Diagnosis("interface \(link.name)", link.summary)
            let hints = link.hints(workers: state.workerProcessors)
            result.effect = hints.map(\.effect).joined(separator: "; ")
            result.remedy = hints.map(\.remedy).joined(separator: "; ")
            return result
        }
    }
}

extension NetworkLink {
    /// What is known of it, for a reader; what is not is left out.
    var summary: String {
        var parts: [String] = []
        if let driver { parts.append(driver) }
        if let mtuBytes { parts.append("MTU \(mtuBytes)") }
        if let speedMbitPerS { parts.append("\(speedMbitPerS) Mbit/s") }
        if let receiveQueues, let transmitQueues { parts.append("queues \(receiveQueues)/\(transmitQueues)") }
        if let interruptProcessors, !interruptProcessors.isEmpty {
            parts.append("interrupts on \(Self.list(interruptProcessors))")
        }
        if let steeringProcessors, !steeringProcessors.isEmpty {
            parts.append("RPS to \(Self.list(steeringProcessors))")
        }
        if let offloads { parts.append("offloads " + (offloads.isEmpty ? "none" : offloads.joined(separator: " "))) }
        return parts.isEmpty ? "nothing is known of it" : parts.joined(separator: ", ")
    }

    /// Nothing follows from what is not known. Loopback and other interfaces without a device receive on the sender's
    /// processor, so that neither interrupts nor their spreading say anything of them.
    fileprivate func hints(workers: Set<Int>) -> [(effect: String, remedy: String)] {
        guard isVirtual == false else { return [] }
        var hints: [(effect: String, remedy: String)] = []
        let shared = workers.intersection(interruptProcessors ?? [])
        // Queues on every processor leave none to move to.
        if !shared.isEmpty, let interruptProcessors, interruptProcessors.count < workers.count + 2 {
            hints.append(
                (
                    "of a load over it, its interrupts take time from the workers on \(Self.list(shared.sorted()))",
                    "--pin other processors, or move them: /proc/irq/N/smp_affinity_list, N of /proc/interrupts"
                ))
        }
        if receiveQueues == 1, steeringProcessors == [] {
            hints.append(
                (
                    "one processor does the protocol work of all that comes over its one queue",
                    "cd /sys/class/net/\(name)/queues && echo MASK > rx-0/rps_cpus"
                ))
        }
        if let offloads, !offloads.contains("gro") {
            hints.append(
                ("every segment that comes over it goes up the protocols alone", "ethtool -K \(name) gro on"))
        }
        return hints
    }

    private static func list(_ processors: [Int]) -> String { processors.map(String.init).joined(separator: ",") }
}
