extension LoadPlan {
    /// Connections of the probe, beside the others: enough for operations to wait for each other never, unless many of them
    /// take longer than the time between two.
    package var probeConnections: Int { probePerSecond == nil ? 0 : 16 }

    /// What the probe does; nil without one, and on other hosts than the first. Its operations come at times of their own,
    /// so that they meet the load in any state, and it is so small a part of the load that it does not wait for itself.
    var probe: LoadPlan? {
        guard let probePerSecond, part.rank == 0 else { return nil }
        var probe = self
        probe.probePerSecond = nil
        probe.connections = probeConnections
        (probe.clients, probe.part, probe.depth, probe.idle) = (1, LoadPart(), 1, 0)
        (probe.thinkNanoseconds, probe.connectionsPerSecond) = (0, nil)
        (probe.pace, probe.spacing) = (.openLoop(perSecond: probePerSecond), .poisson)
        return probe
    }

    /// Client threads of this host, the probe's included.
    package var threads: Int { clients + (probe == nil ? 0 : 1) }
}
