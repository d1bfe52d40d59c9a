/// Which part of a load is one host's.
package struct LoadPart: Sendable, Codable, Equatable {
    /// The host's number, from 0.
    package var rank: Int
    /// Hosts that share the load.
    package var hosts: Int

    /// The whole, or one part of several.
    package init(rank: Int = 0, of hosts: Int = 1) { (self.rank, self.hosts) = (rank, hosts) }
}

extension LoadPlan {
    /// Client threads of all hosts.
    package var allClients: Int { clients * part.hosts }

    /// The number of one of this host's client threads among those of all. Neighbours are of different hosts, so that the
    /// hosts take turns where threads do, and none fires in phase with another.
    func place(ofClient index: Int) -> Int { index * part.hosts + part.rank }

    /// What one of this host's client threads has of a total, which all threads of all hosts have together.
    func share(of total: Int, forClient index: Int) -> Int {
        Load.share(total, place(ofClient: index), of: allClients)
    }

    /// What this host has of a total.
    package func share(of total: Int) -> Int { (0..<clients).reduce(0) { $0 + share(of: total, forClient: $1) } }
}

/// Part `index` of `total`: nothing for the last ones if there are more parts.
func share(_ total: Int, _ index: Int, of count: Int) -> Int {
    total / count + (index < total % count ? 1 : 0)
}
