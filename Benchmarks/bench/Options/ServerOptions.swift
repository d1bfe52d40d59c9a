import ArgumentParser
import Meters

/// Servers that are not our loops.
struct ServerOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept, .crr, .read]
    static let title = "Other servers (workloads accept, crr, read)"

    @Option(
        help: """
            A command that is started for each run, as NAME=COMMAND; repeatable. In it {port}, {address}, {workers} and \
            {cpus} are filled in.
            """)
    var server: [String] = []

    @Option(help: "A server that runs already: HOST:PORT, or unix:PATH.")
    var target: String?

    @Option(parsing: .unconditional, help: "The number of the process of --target, whose costs are to be read.")
    var pid: Int32?

    @Option(help: "How long a server may take to listen; 10s if not given.")
    var serverTimeout: String?

    @Flag(help: "Lets --target name another machine.")
    var allowRemote = false

    @Option(parsing: .unconditional, help: "New connections per second at the most; no limit if not given.")
    var connectRate: Double?
}

/// What is said to a server.
struct ProtocolOptions: WorkloadOptions {
    static let workloads: [Workload] = [.crr, .read]
    static let title = "Protocols (workloads crr, read)"

    @Option(help: "echo (default; every byte is checked), http, redis, memcached or bytes.")
    var `protocol`: String?

    @Option(help: "http: what is asked for; / if not given.")
    var path: String?

    @Option(help: "http: a header line, 'Name: value'; repeatable.")
    var header: [String] = []

    @Option(help: "http: the method; GET if not given, POST with --body.")
    var method: String?

    @Option(help: "http: a file that is sent as the body.")
    var body: String?

    @Option(help: "redis, memcached: what is asked, such as 'GET key'; PING and 'version' if not given.")
    var command: String?

    @Option(help: "bytes: a file that is sent as the request.")
    var request: String?

    @Option(parsing: .unconditional, help: "bytes: how long a reply is.")
    var replyBytes: Int?

    @Option(help: "bytes: the text that ends a reply; \\r, \\n and \\0 are understood.")
    var replyUntil: String?

    @Option(
        help: """
            A file with a request in each line: a weight, a space, then a path (http) or a command (redis, memcached).
            """)
    var requests: String?
}
