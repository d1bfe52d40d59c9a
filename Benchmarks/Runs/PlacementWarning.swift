import Loops
package import Meters

/// Something about where the threads of a run are put that moves its numbers.
package struct PlacementWarning: Sendable, Equatable {
    /// What it is, as a row has it.
    package let text: String
    /// What it does, and what else to do.
    package let advice: String
}

extension RunPlan {
    /// What is to be known about where its threads run. A ping-pong on one processor is meant, and its `placement` says
    /// it; a timer has one thread.
    ///
    /// - Parameter available: the processors that this process may use.
    package func placementWarnings(
        _ topology: ProcessorTopology, available: [Int] = Affinity.available()
    ) -> [PlacementWarning] {
        // Where an agent puts its threads is another machine's affair.
        guard agent == nil else { return [] }
        let isPinned = !placement.workers.isEmpty && (!placement.clients.isEmpty || isTimer)
        let servers = isPinned ? Set((0..<workerThreads).compactMap(placement.processor(ofWorker:))) : Set(available)
        let loads = isPinned ? Set((0..<clients).compactMap(placement.processor(ofClient:))) : Set(available)
        var warnings: [PlacementWarning] = []
        // That threads which are not pinned take turns is meant, unless they have no choice.
        let isForced = isPinned || available.count == 1
        if isForced && !isPingPong && !isTimer {
            let shared = servers.intersection(loads).sorted()
            if !shared.isEmpty { warnings.append(.shared(shared)) }
        }
        let all = servers.union(loads).sorted()
        let cores = all.filter { processor in
            topology.siblings[processor].map { !$0.intersection(all).subtracting([processor]).isEmpty } ?? false
        }
        if !cores.isEmpty {
            let isPair = cores.filter(servers.contains).count > 1
            let side = !isPinned ? nil : isPair ? "workers" : servers.isDisjoint(with: cores) ? "clients" : nil
            warnings.append(.siblings(cores, of: side))
        }
        let nodes = Set(all.compactMap { topology.nodes[$0] }).sorted()
        if nodes.count > 1 { warnings.append(.apart(nodes)) }
        return warnings
    }

    private var isPingPong: Bool {
        if case .wake(_, let wake) = plan { wake.shape == .pingPong } else { false }
    }
}

extension PlacementWarning {
    fileprivate static func shared(_ processors: [Int]) -> PlacementWarning {
        PlacementWarning(
            text: "server and client share processor \(list(processors))",
            advice: "each waits while the other runs, so no time is one side's alone; give them their own processors "
                + "(--pin, taskset -c)")
    }

    fileprivate static func siblings(_ processors: [Int], of side: String?) -> PlacementWarning {
        PlacementWarning(
            text: "\(side ?? "server and client") run on hardware threads of one core (processors \(list(processors)))",
            advice: "they slow each other down by a third or more; --pin one thread of each core")
    }

    fileprivate static func apart(_ nodes: [Int]) -> PlacementWarning {
        PlacementWarning(
            text: "the threads run on memory nodes \(list(nodes))",
            advice: "what one writes the other reads from afar; --pin or numactl keeps them on one node")
    }

    /// Ascending numbers, three and more in a row as a range: `0, 4, 8-15`.
    private static func list(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { range in
            range.count > 2 ? "\(range.lowerBound)-\(range.upperBound)" : range.map(String.init).joined(separator: ", ")
        }.joined(separator: ", ")
    }
}
