package import LinuxSockets
package import Meters

/// A host's part of a load, as what crosses a network.
package struct LoadOrder: Codable, Sendable {
    /// What its clients do.
    package var plan: LoadPlan
    private var tls: TLSSettings?
    /// The server, as `127.0.0.1:80`.
    private var address: String
    private var seed: UInt64

    /// Takes a plan, a server that other hosts can reach, and what seeds all that is drawn.
    package init(_ plan: LoadPlan, to address: SocketAddress, seed: UInt64) {
        self.plan = plan
        tls = plan.tls?.settings
        self.address = "\(address)"
        self.seed = seed
    }

    /// Starts the clients, who connect where the workload says so, and wait for their window.
    ///
    /// - Throws: one line, also for what no coordinator asks whose options were checked.
    package func clients(_ placement: Placement) throws(RunError) -> ClientTeam {
        try check()
        guard let server = SocketAddress(text: address) else { throw Self.impossible }
        var plan = plan
        if let tls {
            do throws(TLSError) {
                plan.tls = try TLSContext(tls)
            } catch {
                throw RunError(failed: "--tls: \(error)")
            }
        }
        return try ClientTeam(plan, to: server, placement, seed: seed)
    }

    private static let impossible = RunError(failed: "a load that cannot be")

    /// To be called before anything is computed of it.
    ///
    /// - Throws: if some number is none that a coordinator sends.
    package func check() throws(RunError) { if !isSound { throw Self.impossible } }

    /// Descriptors that its clients open at the most.
    package var descriptorsNeeded: Int {
        plan.share(of: plan.connections) + plan.share(of: plan.idle) + plan.probeConnections + 2 * plan.threads + 64
    }

    /// What is computed of these numbers is to fit a machine word.
    private var isSound: Bool {
        let counts = [
            (plan.clients, 1...1 << 16), (plan.part.hosts, 1...1 << 16),
            (plan.part.rank, 0...max(plan.part.hosts, 1) - 1),
            (plan.connections, 1...1 << 30), (plan.idle, 0...1 << 30), (plan.messageBytes, 1...1 << 20),
            (plan.depth, 1...1 << 12),
        ]
        let rates = [plan.ratePerSecond, plan.connectionsPerSecond, plan.probePerSecond].compactMap { $0 }
        let requests = plan.conversation.requests
        return counts.allSatisfy { $1.contains($0) } && rates.allSatisfy { (0.001...1e8).contains($0) }
            && plan.thinkNanoseconds <= 3_600_000_000_000 && plan.workload != .wake && plan.queued == nil
            && (plan.conversation.wire == .echo || !requests.isEmpty)
            && requests.allSatisfy { $0.bytes.count <= 1 << 20 && (1e-9...1e9).contains($0.weight) }
    }
}
