import ArgumentParser
import Glibc
import LinuxDescriptors
import LinuxSockets
import Loops
import Meters
import Reports
import Runs
import Servers
import SystemPackage

/// `bench serve`: one of our loops as a program of its own.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves clients of other programs with one of the loops that are measured.",
        discussion: """
            Prints one line when it listens, and runs until SIGINT or SIGTERM, after which its exit code is 0. Each \
            request gets the same reply: an echo of --message-size bytes, a page with a body of so many bytes, +PONG, \
            what memcached answers when it is empty, or so many bytes for --request-size bytes. A client that does not \
            read its replies holds its worker up for five seconds, and is closed then.
            """)

    @Option(help: "The mode: see 'bench list'.")
    var mode: String

    @Option(help: "What it speaks: echo, http, redis, memcached or bytes.")
    var `protocol` = WireProtocol.echo.rawValue

    @Option(help: "Numeric address to listen on; 127.0.0.1 if not given.")
    var address: String?

    @Option(help: "Port to listen on; if not given, or 0, the kernel chooses.")
    var port: UInt16?

    @Option(help: "Path of a unix socket to listen on, instead of a port; removed at the end.")
    var unix: String?

    @Option(parsing: .unconditional, help: "Server threads.")
    var workers = 1

    @Option(parsing: .unconditional, help: "Most connections open at once; more are closed. 4096 if not given.")
    var connections: Int?

    @Option(help: "read: connections stay open. crr: one request each. accept: closed when accepted.")
    var workload: String?

    @Flag(help: "One request for each connection, as --workload crr.")
    var closeAfterReply = false

    @Option(parsing: .unconditional, help: "Bytes of a message of an echo, of a body, or of a reply.")
    var messageSize = 64

    @Option(parsing: .unconditional, help: "Protocol bytes: how long a request is; 64 if not given.")
    var requestSize: Int?

    @Option(
        help: """
            Whether workers wait in one set together or each in its own: shared-set or set-per-worker; each mode has its \
            default.
            """)
    var topology: String?

    @Option(
        help: """
            How the workers share the port: shared, reuseport, reuseport-cbpf, reuseport-ebpf or \
            reuseport-incoming-cpu.
            """)
    var listener = ListenerSharing.shared.rawValue

    @Option(
        help: "Time that a worker spends on each request: none (default), fixed:T, exp:T or bimodal:T,T,P; T as 1ms.")
    var serviceTime: String?

    @Option(help: "How the worker spends the service time: busy (default) or sleep.")
    var service: String?

    @Option(help: "Where workers run: none, auto (a processor for each), or a list of processors such as 0,1.")
    var pin = "none"

    @OptionGroup(title: "How the loop waits") var wait: WaitOptions
    @OptionGroup(title: "How connections begin") var exchange: ExchangeOptions

    func run() throws {
        let mode = try namedMode()
        var traffic = try traffic(mode)
        let plan = try plan(mode, traffic)
        if let reason = mode.unsupportedReason(
            rings: RingSupport.probe(), for: traffic.workload, isLocal: plan.address.isLoopback)
        {
            throw Failure(.nothingSupported, "\(mode.name): \(reason)")
        }
        if plan.opensFast, let refusal = fastOpenRefusal(needing: .server) { throw Failure(.nothingSupported, refusal) }
        try fitDescriptors(plan, &traffic)
        if mode.capabilities.waitsInCall && traffic.workload == .read {
            let most = plan.workers == 1 ? "a connection" : "\(plan.workers) connections"
            complain("\(mode.name) serves \(most) at once, one for each worker; others wait until one ends")
        }
        let interruption = try Interruption(endsAtSecondSignal: true)
        do throws(RunError) {
            let failures = try serve(plan, traffic, until: interruption) { address in
                let kind = traffic.workload == .accept ? "accept" : traffic.wire.rawValue
                print("listening on \(address) (\(mode.name), \(kind))")
                _ = Terminal.flushOutput()
            }
            if failures.total > 0 { complain("served with failures: \(failures.text)") }
        } catch {
            throw Failure(error.isUnsupported ? .nothingSupported : .runFailed, error.description + advice(error))
        }
    }
}

// MARK: What the options mean

extension ServeCommand {
    private func namedMode() throws -> Mode {
        let modes = try modesNamed(mode)
        guard modes.count == 1 else { throw Failure(.usage, "--mode takes one mode to serve with, not '\(mode)'") }
        let mode = try wait.applied(to: modes)[0]
        if let refusal = mode.waitRefusal { throw Failure(.usage, refusal) }
        return mode
    }

    private func traffic(_ mode: Mode) throws -> Traffic {
        let wire: WireProtocol = try named(self.protocol, "protocol")
        let workload = try servedWorkload()
        _ = try inRange(messageSize, 1...1 << 20, "--message-size takes 1 to 1048576 bytes")
        _ = try inRange(requestSize ?? 1, 1...1 << 20, "--request-size takes 1 to 1048576 bytes")
        _ = try inRange(workers, 1...mostCount, "--workers takes 1 or more")
        if requestSize != nil && wire != .bytes {
            throw Failure(.usage, "--request-size belongs to --protocol bytes; the protocol is \(wire.rawValue)")
        }
        let foreign = (wire == .echo ? [] : ["--protocol"]) + exchange.given
        if workload == .accept, let option = foreign.first {
            throw Failure(.usage, "--workload accept closes what it accepts and says nothing; leave \(option) out")
        }
        let keepsOpen = workload == .read
        let standard = mode.capabilities.waitsInCall && keepsOpen ? workers : 4096
        let most = try inRange(connections ?? standard, 1...mostCount, "--connections takes 1 or more")
        if mode.capabilities.waitsInCall && keepsOpen && most > workers {
            throw Failure(
                .usage,
                "\(mode.name) serves one connection for each worker until it ends; give --workers \(most), or "
                    + "--close-after-reply")
        }
        var traffic = Traffic(workload, connections: most, messageBytes: messageSize)
        traffic.wire = wire
        traffic.requestBytes = requestSize ?? 64
        traffic.arrival = .anytime
        traffic.limitsConnections = true
        // As many requests as a client may have in flight are read at once.
        let request = wire == .bytes ? traffic.requestBytes : messageSize
        traffic.depth = max(1, 16384 / request)
        return traffic
    }

    private func servedWorkload() throws -> Workload {
        guard let workload else { return closeAfterReply ? .crr : .read }
        let named: Workload = try named(workload, "workload")
        guard named != .wake else { throw Failure(.usage, "--workload wake has no network; serve read, crr or accept") }
        guard named != .datagram else {
            throw Failure(.usage, "--workload datagram is measured with bench run; serve read, crr or accept")
        }
        if closeAfterReply && named != .crr {
            throw Failure(.usage, "--close-after-reply is --workload crr, not \(named.rawValue)")
        }
        return named
    }

    private func plan(_ mode: Mode, _ traffic: Traffic) throws -> ServerPlan {
        var plan = ServerPlan(traffic.workload, mode: mode)
        plan.workers = workers
        plan.loop.seed = freshSeed()
        let topology: Topology? = try choice(topology, "--topology")
        plan.loop.topology = topology ?? mode.topologies[0]
        guard mode.topologies.contains(plan.loop.topology) else {
            let names = mode.topologies.map(\.rawValue).joined(separator: " or ")
            throw Failure(.usage, "\(mode.name) has no \(plan.loop.topology.rawValue); use --topology \(names)")
        }
        if let mistake = plan.requestMistake(traffic.wire) { throw Failure(.usage, mistake) }
        plan.listener = try named(listener, "listener")
        plan.service = try bench.serviceTime(serviceTime, service)
        plan.loop.placement = Placement(workers: try processors(), clients: [])
        (plan.defersAccept, plan.opensFast) = (exchange.deferAccept, exchange.fastOpen)
        plan.address = try place(plan.listener)
        return plan
    }

    /// Where to listen.
    private func place(_ listener: ListenerSharing) throws -> SocketAddress {
        guard let unix else {
            guard let address = SocketAddress(numeric: address ?? "127.0.0.1", port: port ?? 0) else {
                throw Failure(
                    .usage, "--address takes a numeric address such as 127.0.0.1 or ::1, not '\(address ?? "")'")
            }
            return address
        }
        guard address == nil, port == nil else {
            throw Failure(.usage, "--unix and --\(port == nil ? "address" : "port") exclude each other; leave one out")
        }
        guard !listener.isPerWorker else {
            throw Failure(
                .usage, "--listener \(listener.rawValue) shares a port, which --unix has none of; leave it out")
        }
        if let option = exchange.given.first {
            throw Failure(.usage, "\(option) is an option of TCP, which --unix is not; leave it out")
        }
        if let refusal = unixPathRefusal(unix) { throw Failure(.runFailed, "--unix: \(refusal)") }
        return try .unix(path: unix)
    }

    private func processors() throws -> [Int] {
        let available = Affinity.available()
        if pin == "none" { return [] }
        if pin == "auto" { return Array(available.prefix(workers)) }
        guard let processors = bench.processors(pin, of: available) else {
            throw Failure(
                .usage,
                "--pin takes none, auto, or a list of the processors \(available), not '\(pin)'"
                    + didYouMean(pin, among: ["auto", "none"]))
        }
        return processors
    }
}

// MARK: What this machine allows

extension ServeCommand {
    /// Raises the descriptor limit, and sees that all connections have room below it and below the mode's own.
    private func fitDescriptors(_ plan: ServerPlan, _ traffic: inout Traffic) throws {
        let limit = Int(clamping: (try? DescriptorLimit.raise())?.soft ?? 1024)
        let others = plan.descriptorsNeeded(for: traffic) - traffic.connections
        if let end = plan.loop.mode.capabilities.descriptorLimit, traffic.workload != .accept {
            let most = end - others
            if connections == nil && most > 0 { traffic.connections = min(traffic.connections, most) }
            guard traffic.connections <= most else {
                throw Failure(
                    .nothingSupported,
                    "\(plan.loop.mode.name) takes descriptors below \(end) (FD_SETSIZE); take --connections "
                        + "\(max(most, 1)) or fewer, or poll")
            }
        }
        guard traffic.connections + others <= limit else {
            throw Failure(
                .nothingSupported,
                "this needs \(traffic.connections + others) descriptors and the limit is \(limit); take fewer "
                    + "--connections or raise it: ulimit -Hn, LimitNOFILE= of the service, or "
                    + "/etc/security/limits.conf")
        }
    }

    /// What to do about a server that could not listen.
    private func advice(_ error: RunError) -> String {
        switch error.error {
        case .addressInUse where unix == nil: "; take another --port, or 0, which lets the kernel choose"
        case .permissionDenied where (1..<1024).contains(port ?? 0):
            "; ports below 1024 need CAP_NET_BIND_SERVICE or sysctl net.ipv4.ip_unprivileged_port_start=\(port ?? 0)"
        case .addressNotAvailable: "; no interface of this machine has this address: ip address"
        default: ""
        }
    }
}
