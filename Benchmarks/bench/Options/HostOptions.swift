import ArgumentParser
import LinuxSockets
import Meters
import Runs
import Servers

/// Other hosts that load the server, where `bench load` runs.
struct HostOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept, .crr, .read, .datagram]
    static let title = "Load from other hosts (workloads accept, crr, read, datagram)"
    static let reason: String? = "only the load of a server can come from other hosts"

    @Option(
        parsing: .unconditional,
        help: """
            So many bench load --join share rate and connections, and this program loads nothing; --clients are threads of \
            each. Needs the secret of --secret-file too.
            """)
    var loadHosts: Int?

    @Option(help: "With --load-hosts: numeric HOST:PORT where they join; 127.0.0.1:9700 if not given.")
    var loadListen: String?

    @Option(help: "With --load-hosts: how long they are waited for; 60s if not given.")
    var joinTimeout: String?
}

extension RunOptions {
    /// The hosts that are to load, none of which has joined so far; nil if this program loads.
    ///
    /// - Throws: ``Failure``, in one line.
    func loadHosts() throws -> LoadHosts? {
        guard let count = hosts.loadHosts else {
            if let option = hosts.given.first {
                throw Failure(.usage, "\(option) belongs to --load-hosts; give that too")
            }
            if agents.secretFile != nil, agents.agent == nil {
                throw Failure(.usage, "--secret-file belongs to --agent and --load-hosts; give one of them too")
            }
            return nil
        }
        _ = try inRange(count, 1...1000, "--load-hosts takes 1 to 1000 hosts")
        if accept.drain != nil {
            throw Failure(
                .usage, "--drain and --load-hosts exclude each other: one host fills the queue; leave one out")
        }
        _ = try joinSeconds()
        let listen = hosts.loadListen ?? "127.0.0.1:9700"
        guard let place = SocketAddress(text: listen) else {
            throw Failure(.usage, "--load-listen takes a numeric HOST:PORT such as 192.0.2.1:9700, not '\(listen)'")
        }
        return try JoiningPlaces.hosts(count, at: place, try Agents.secret(agents.secretFile, of: "--load-hosts"))
    }

    /// How often the probe asks; nil without one.
    func probeRate() throws -> Double? {
        guard let rate = network.probeRate else { return nil }
        guard (0.001...1e6).contains(rate) else {
            throw Failure(.usage, "--probe-rate takes operations per second, 0.001 to 1000000, not \(rate)")
        }
        guard network.slo == nil else {
            throw Failure(
                .usage, "--probe-rate and --slo exclude each other: a search asks for the latencies of the load itself")
        }
        guard accept.drain == nil else {
            throw Failure(.usage, "--probe-rate and --drain exclude each other: a drain has no load beside its queue")
        }
        return rate
    }

    /// How long hosts are waited for.
    func joinSeconds() throws -> Double {
        Double(try bench.duration(hosts.joinTimeout ?? "60s", "--join-timeout")) / 1e9
    }

    /// Each client thread of each host needs a connection.
    func checkClients(_ base: RunPlan, _ fewest: Int) throws {
        let threads = base.clients * (base.loadHosts?.count ?? 1)
        guard threads > fewest else { return }
        let each = base.loadHosts.map { " of each of \($0.count) load hosts" } ?? ""
        throw Failure(
            .usage,
            "--clients \(base.clients)\(each) is more than --connections \(fewest): each client thread needs a connection"
        )
    }
}

/// Where hosts join, which outlasts the parts of an invocation.
private enum JoiningPlaces {
    private static let all = Locked<[String: LoadHosts]>([:])

    static func hosts(_ count: Int, at place: SocketAddress, _ secret: AgentSecret) throws -> LoadHosts {
        if let known = all.withLock({ $0["\(place)"] }) { return known }
        var settings = LoadHosts.Settings(secret, .current, commit: builtCommit, build: Build.name)
        settings.log = { complain($0) }
        do throws(RunError) {
            let hosts = try LoadHosts(count, at: place, settings)
            all.withLock { $0["\(place)"] = hosts }
            return hosts
        } catch {
            throw Failure(error.isUnsupported ? .nothingSupported : .runFailed, error.description)
        }
    }
}
