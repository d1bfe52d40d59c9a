import ArgumentParser
import LinuxDescriptors
import LinuxSockets
import Load
import Loops
import Meters
import Runs
import Servers

/// `bench agent`: runs servers for a `bench` on another host.
struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Runs servers on this host for bench run --agent on another.",
        discussion: """
            Prints one line when it listens, and runs until SIGINT or SIGTERM, after which its exit code is 0. It serves \
            one coordinator at a time, who has to know the secret, and starts the loops of 'bench list' and what --allow \
            names, nothing else. Messages are authenticated and not encrypted, and the load itself is neither: use it in a \
            network that you trust.
            """)

    @Option(help: "Numeric HOST:PORT to listen on; port 0 lets the kernel choose.")
    var listen = "127.0.0.1:9600"

    @Option(help: "Numeric address that servers listen on; if not given, the one that the coordinator connects to.")
    var address: String?

    @Option(help: "The file of the secret, which nobody else can read; else BENCH_AGENT_SECRET.")
    var secretFile: String?

    @Option(
        help: """
            A command that coordinators may start by its name, as NAME=COMMAND; repeatable. In it {port}, {address}, \
            {workers} and {cpus} are filled in.
            """)
    var allow: [String] = []

    func run() throws {
        guard let place = SocketAddress(text: listen) else {
            throw Failure(.usage, "--listen takes a numeric HOST:PORT such as 127.0.0.1:9600, not '\(listen)'")
        }
        if let address, SocketAddress(numeric: address, port: 0) == nil {
            throw Failure(.usage, "--address takes a numeric address such as 127.0.0.1 or ::1, not '\(address)'")
        }
        let commands = try commands()
        let secret = try Agents.secret(secretFile, of: "bench agent")
        Build.warnIfDebug()
        let interruption = try Interruption(endsAtSecondSignal: true)
        _ = try? DescriptorLimit.raise()
        var settings = AgentSettings(
            secret, .current, .ofThisMachine(commit: builtCommit, build: Build.name))
        settings.address = address
        settings.commands = commands
        settings.refuses = Self.refusal
        settings.log = { complain($0) }
        do throws(RunError) {
            let agent = try Agent(place, settings)
            print("listening on \(agent.address)")
            _ = Terminal.flushOutput()
            try agent.run(until: interruption.descriptor)
        } catch {
            throw Failure(error.isUnsupported ? .nothingSupported : .runFailed, error.description)
        }
    }

    private func commands() throws -> [AgentSettings.Command] {
        let commands = try allow.map { text in
            let (name, command) = try RunOptions.serverCommand(text, by: "--allow", port: 0)
            guard !command.contains("{socket}") else {
                throw Failure(.usage, "--allow \(name): no other host reaches a unix socket; put {port} in the command")
            }
            return AgentSettings.Command(name, command)
        }
        let names = commands.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw Failure(.usage, "--allow: two servers are called \(twice); give each a name of its own")
        }
        return commands
    }

    /// Why this machine cannot run a server; nil if it can.
    @Sendable private static func refusal(_ server: ServerPlan, _ traffic: Traffic) -> RunError? {
        let mode = server.loop.mode
        if let reason = mode.unsupportedReason(rings: RingSupport.probe(), for: traffic.workload, isLocal: false) {
            return RunError(unsupported: reason)
        }
        var load = LoadPlan(traffic.workload)
        (load.connections, load.idle) = (traffic.connections, traffic.idle)
        (load.messageBytes, load.depth, load.opensFast) = (traffic.messageBytes, traffic.depth, server.opensFast)
        var plan = RunPlan(traffic.workload, mode: mode)
        plan.plan = .network(server, load)
        return Limits(MachineFacts.read()).refusal(of: plan).map { RunError(unsupported: $0) }
    }
}
