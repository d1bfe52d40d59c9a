import ArgumentParser
import Meters

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

    @Option(help: "http: a file that is sent as the body; as one chunk with --header 'Transfer-Encoding: chunked'.")
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
