import ArgumentParser

/// The options of `bench run`, as typed.
///
/// Numbers are parsed unconditionally: what follows is their value even with a minus, so that `--duration -1` is told
/// what a duration is and not that there is none.
struct RunOptions: ParsableArguments {
    @Option(help: "Modes, separated by commas, or all: see 'bench list'.")
    var mode = "all"

    /// One of the modes, which runs alone with what the options mean for it: how a comparison starts its runs.
    @Option(help: .hidden)
    var only: String?

    @Option(help: "What is done: accept, crr (connect, request, response), read or wake.")
    var workload = "accept"

    @Option(help: "shared-set, set-per-worker, both separated by a comma, or all; each mode has its default.")
    var topology: String?

    @Option(help: "shared, reuseport, reuseport-cbpf, reuseport-ebpf, several separated by commas, or all.")
    var listener = "shared"

    @Option(parsing: .unconditional, help: "Server threads; a list runs every number.")
    var workers = "1"

    @Option(parsing: .unconditional, help: "Client threads.")
    var clients = 1

    @Option(
        parsing: .unconditional,
        help: "Connections open at the most; a list runs every number. 64 if not given, 1024 with --rate.")
    var connections: String?

    @Option(
        parsing: .unconditional, help: "Open loop: new connections per second, on schedule whatever the server does.")
    var rate: Double?

    @Option(parsing: .unconditional, help: "How the starts of an open loop are spread: uniform or poisson.")
    var spacing = "uniform"

    @Option(parsing: .unconditional, help: "crr and read: bytes of a message, each way.")
    var messageSize = 64

    @Option(parsing: .unconditional, help: "read: messages in flight on a connection.")
    var depth = 1

    @Option(parsing: .unconditional, help: "read: connections that are watched and never speak.")
    var idle = 0

    @Option(parsing: .unconditional, help: "Queue so many connections first, then time accepting them.")
    var drain: Int?

    @Option(
        help: "How long a worker is kept by an operation: none, fixed:T, exp:T, bimodal:FAST,SLOW,P; T as 100us.")
    var serviceTime = "none"

    @Option(help: "How the worker spends the service time: busy or sleep.")
    var service = "busy"

    @Option(
        help: """
            epoll-oneshot: armed again early (after the accept or receive) or late (after the work), or all. \
            (default: early for accept, late for crr and read)
            """)
    var rearm: String?

    @Option(help: "How the server closes: reset, or orderly (FIN).")
    var close = "reset"

    @Option(help: "Whose loop runs: swift, c, or all.")
    var implementation = "swift"

    @Option(help: "wake: eventfd, eventfd-semaphore, pipe, futex or msg-ring, a list of them, or all.")
    var signal: String?

    @Option(help: "wake: ping-pong (two threads in turn) or pool (producers and consumers).")
    var shape: String?

    @Option(help: "wake pool: a descriptor per-task or per-worker, or all, which compares the two.")
    var descriptors: String?

    @Option(parsing: .unconditional, help: "wake pool: tasks to be done; 100000 if not given.")
    var tasks: Int?

    @Option(parsing: .unconditional, help: "wake pool: threads that hand out tasks; 1 if not given.")
    var producers: Int?

    @Option(parsing: .unconditional, help: "wake pool: threads that do tasks; 1 if not given.")
    var consumers: Int?

    @Flag(help: "wake pool, per-task: open all descriptors before the first is signalled.")
    var live = false

    @Option(parsing: .unconditional, help: "Measured time of a run: seconds, or with a unit: 500ms.")
    var duration = "1s"

    @Option(parsing: .unconditional, help: "Time before measuring: seconds, or with a unit.")
    var warmup = "200ms"

    @Option(parsing: .unconditional, help: "How often every combination is run, in random order within a round.")
    var rounds = 3

    @Option(
        help: """
            auto, none, or processors: workers' first, then one for each client: 0,1,2. wake: also same (one \
            processor for both sides); auto runs a ping-pong on the same one and on different ones.
            """)
    var pin = "auto"

    @Option(help: "Seed of the order and the service times; random if not given.")
    var seed: UInt64?

    @Option(help: "Numeric address to listen on.")
    var address = "127.0.0.1"

    @Option(help: "Port to listen on; 0 lets the kernel choose.")
    var port: UInt16 = 0

    @Option(help: "Folder for the results; results/<time>-<commit> if not given.")
    var output: String?

    @Flag(help: "Leaves the counting of system calls to the loops: no short second run with the kernel's count.")
    var noKernelCounts = false

    @Flag(help: "No progress, no table: only the files.")
    var quiet = false
}
