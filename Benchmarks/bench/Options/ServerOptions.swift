import ArgumentParser
import Meters

/// Servers that are not our loops.
struct ServerOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept, .crr, .read]
    static let title = "Other servers (workloads accept, crr, read)"

    @Option(
        help: """
            A command that is started for each run, as NAME=COMMAND; repeatable. In it {port}, or \
            {socket} for a unix socket, {address}, {workers} and {cpus} are filled in.
            """)
    var server: [String] = []

    @Option(help: "A server that runs already: HOST:PORT, or unix:PATH.")
    var target: String?

    @Option(parsing: .unconditional, help: "The process of --target, by its number, whose costs are to be read.")
    var pid: Int32?

    @Option(help: "How long a server may take to listen; 10s if not given.")
    var serverTimeout: String?

    @Flag(help: "Lets --target name another machine.")
    var allowRemote = false

    @Option(parsing: .unconditional, help: "New connections per second at the most; no limit if not given.")
    var connectRate: Double?
}
