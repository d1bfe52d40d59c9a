import ArgumentParser
import CSocketExtras
import Glibc
import LinuxSockets
import Loops
import Meters
import Records
import Runs
import Servers

/// A server on another host, which `bench agent` runs there.
struct AgentOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept, .crr, .read, .datagram]
    static let title = "A server on another host (workloads accept, crr, read, datagram)"
    static let reason: String? = "only a server can run on another host"

    @Option(
        help: """
            Where bench agent listens, HOST:PORT: servers run there, and clients here. --server NAME starts a command that \
            the agent's own command line allows by that name.
            """)
    var agent: String?

    @Option(
        help: "The file of the secret of --agent and --load-hosts, which nobody else can read; else BENCH_AGENT_SECRET."
    )
    var secretFile: String?

    /// The agent, connected; nil if none was named.
    ///
    /// - Throws: ``Failure``, in one line.
    func connected() throws -> AgentClient? {
        try agent.map { try Agents.connected(to: $0, secretFile) }
    }
}

/// The connections to agents, which outlast the parts of an invocation, and the secret.
enum Agents {
    /// What the environment had.
    private static let kept = Locked<AgentSecret?>(nil)
    private static let clients = Locked<[String: AgentClient]>([:])

    static func connected(to name: String, _ secretFile: String?) throws -> AgentClient {
        if let client = clients.withLock({ $0[name] }) { return client }
        let addresses = try addresses(of: name)
        let secret = try secret(secretFile, of: "--agent")
        do {
            let client = try AgentClient(name, addresses, secret, .current)
            clients.withLock { $0[name] = client }
            return client
        } catch {
            throw Failure(error.isUnsupported ? .nothingSupported : .runFailed, error.description)
        }
    }

    /// The secret, of a file or of the environment, which does not keep it.
    ///
    /// - Parameter owner: the option or command that needs it.
    static func secret(_ file: String?, of owner: String) throws -> AgentSecret {
        do throws(RunError) {
            if let taken = try AgentSecret.takenFromEnvironment() { kept.withLock { $0 = taken } }
            if let file { return try AgentSecret(file: file) }
            if let secret = kept.withLock({ $0 }) { return secret }
        } catch {
            throw Failure(.usage, error.description)
        }
        throw Failure(
            .usage, "\(owner) needs the secret that both hosts share: --secret-file FILE, or \(AgentSecret.variable)")
    }

    /// What a name or an address stands for that an option takes.
    static func addresses(of name: String, _ option: String = "--agent") throws -> [SocketAddress] {
        guard let (host, port) = SocketAddress.parts(of: name), port > 0 else {
            throw Failure(
                .usage, "\(option) takes HOST:PORT such as 192.0.2.1:9600 or [2001:db8::1]:9600, not '\(name)'")
        }
        if let address = SocketAddress(numeric: host, port: port) { return [address] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else {
            throw Failure(.runFailed, "\(option) \(name): \(unsafe String(cString: gai_strerror(code)))")
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            var text = [CChar](repeating: 0, count: 128)
            let result = unsafe getnameinfo(
                current.pointee.ai_addr, current.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
                NI_NUMERICHOST)
            let numeric = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if result == 0, let address = SocketAddress(numeric: numeric, port: port) { found.append(address) }
            unsafe entry = current.pointee.ai_next
        }
        return found
    }
}

extension AgentVersion {
    /// What this program speaks.
    static let current = AgentVersion(schema: RunRecord.currentSchemaVersion)
}

extension RunOptions {
    /// Refuses what a server on another host cannot have.
    func refuseLocal(with agent: AgentClient) throws {
        let local = (servers.given + network.given).first { ["--target", "--pid", "--allow-remote"].contains($0) }
        if let local {
            throw Failure(
                .usage, "\(local) and --agent exclude each other: the agent starts the server; leave one of them out")
        }
        guard network.address == nil else {
            throw Failure(
                .usage, "--address is the agent's own to say (bench agent --address); with --agent leave it out")
        }
    }

    /// The servers that `--server` names among those that an agent allows.
    func allowedServers(_ base: RunPlan, by agent: AgentClient) throws -> [ExternalServer] {
        try servers.server.map { name in
            guard !name.contains("=") else {
                throw Failure(
                    .usage,
                    "--server NAME=COMMAND runs on this host; with --agent give the NAME alone, and the command there: bench "
                        + "agent --allow 'NAME=COMMAND'")
            }
            guard let allowed = agent.facts.servers.first(where: { $0.name == name }) else {
                let names = agent.facts.servers.map(\.name)
                let known = names.isEmpty ? "none" : names.joined(separator: ", ")
                throw Failure(
                    .usage, "--server \(name): the agent allows \(known)" + didYouMean(name, among: names))
            }
            var server = ExternalServer(name, .command(allowed.takesWorkers ? "{workers}" : ""))
            server.address = base.server.address
            return server
        }
    }

    /// Where the workers run on the agent's host, and the clients on this one.
    func placement(workers: Int, clients: Int, by agent: AgentClient) throws -> Placement {
        let (theirs, ours) = (agent.facts.processors, Affinity.available())
        if pin == "none" { return .unpinned }
        if pin == "auto" {
            if agent.isOfThisMachine {
                return .automatic(available: theirs.filter(ours.contains), workers: workers, clients: clients)
            }
            return Placement(workers: Array(theirs.prefix(workers)), clients: Array(ours.suffix(clients)))
        }
        let values = pin.listed.compactMap { Int($0) }
        let count = min(clients, max(values.count - 1, 0))
        let (first, last) = (values.dropLast(count), values.suffix(count))
        guard values.count == pin.listed.count, values.count >= 2, first.allSatisfy(theirs.contains),
            last.allSatisfy(ours.contains)
        else {
            throw Failure(
                .usage,
                "--pin takes auto, none, or at least two processors, first of the agent's \(theirs), then of these \(ours), "
                    + "not '\(pin)'" + didYouMean(pin, among: ["auto", "none"]))
        }
        return Placement(workers: Array(first), clients: Array(last))
    }
}
