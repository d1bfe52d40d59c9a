import ArgumentParser
import Meters

/// The options of `bench run`, as typed: those of every workload, and a group for each set of workloads that share some.
///
/// Numbers are parsed unconditionally: what follows is their value even with a minus, so that `--duration -1` is told
/// what a duration is and not that there is none.
struct RunOptions: ParsableArguments {
    @Option(help: "What is done: accept, crr (connect, request, response), read, datagram or wake.")
    var workload = "accept"

    @Option(
        help: """
            Modes to run, separated by commas; 'bench list' names them. all: the classic ones, which also run if neither \
            --mode nor --server nor --target is given. everything: the library's own and the variants too.
            """)
    var mode: String?

    /// One of the modes, which runs alone with what the options mean for it: how a comparison starts its runs.
    @Option(help: .hidden)
    var only: String?

    @Option(
        help: """
            Whether workers wait in one set together or each in its own: shared-set, set-per-worker, a list, or all; each \
            mode has its default.
            """)
    var topology: String?

    @Option(help: "Language of the server's loop: swift, c, a list, or all.")
    var implementation = "swift"

    @Option(
        parsing: .unconditional,
        help: """
            Measured time of a run: seconds, or with a unit: 500ms. If not given: 1s; with --slo 10s; an open loop as long \
            as its p99 takes (with --service-time its p99.9), 10s at the most.
            """)
    var duration: String?

    @Option(parsing: .unconditional, help: "Time before measuring: seconds, or with a unit.")
    var warmup = "200ms"

    @Option(parsing: .unconditional, help: "How often each combination is run; a round has each once, in random order.")
    var rounds = 3

    @Option(
        help: """
            Where threads run: auto, none, or a list of processors such as 0,1,2: those of the workers, then one for each \
            client. --workload wake: also same, which is one processor for both sides; with auto a ping-pong runs both \
            on one processor and on two.
            """)
    var pin = "auto"

    @Option(help: "Seed of the order and the service times; random if not given.")
    var seed: UInt64?

    @Option(help: "Folder for the results; results/<time>-<commit> if not given.")
    var output: String?

    @Flag(help: "Takes the loops' own counts of system calls, without the short second run in which the kernel counts.")
    var noKernelCounts = false

    @Flag(help: "Writes the files, and shows neither progress nor table.")
    var quiet = false

    @Option(
        help: "Goes on with an interrupted run: the folder that it wrote. Its options, seed and order are kept.")
    var resume: String?

    @OptionGroup(title: NetworkOptions.title) var network: NetworkOptions
    @OptionGroup(title: WaitOptions.title) var wait: WaitOptions
    @OptionGroup(title: ConnectOptions.title) var connect: ConnectOptions
    @OptionGroup(title: ExchangeOptions.title) var exchange: ExchangeOptions
    @OptionGroup(title: MessageOptions.title) var messages: MessageOptions
    @OptionGroup(title: ServerOptions.title) var servers: ServerOptions
    @OptionGroup(title: AgentOptions.title) var agents: AgentOptions
    @OptionGroup(title: HostOptions.title) var hosts: HostOptions
    @OptionGroup(title: ProtocolOptions.title) var conversation: ProtocolOptions
    @OptionGroup(title: TLSOptions.title) var tls: TLSOptions
    @OptionGroup(title: AcceptOptions.title) var accept: AcceptOptions
    @OptionGroup(title: DepthOptions.title) var flight: DepthOptions
    @OptionGroup(title: ReadOptions.title) var read: ReadOptions
    @OptionGroup(title: WakeOptions.title) var wake: WakeOptions
    @OptionGroup(title: PoolOptions.title) var pool: PoolOptions
}

struct NetworkOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept, .crr, .read, .datagram]

    @Option(parsing: .unconditional, help: "Server threads; a list runs every number. 1 if not given.")
    var workers: String?

    @Option(parsing: .unconditional, help: "Client threads; 1 if not given.")
    var clients: Int?

    @Option(
        parsing: .unconditional,
        help: "Most connections open at once; a list runs every number. 64 if not given, 1024 in an open loop.")
    var connections: String?

    @Option(parsing: .unconditional, help: "Open loop: new operations per second, whatever the server does.")
    var rate: Double?

    @Option(
        parsing: .unconditional,
        help: "So many operations a second on 16 more connections, at times of their own, and latencies of these alone."
    )
    var probeRate: Double?

    @Option(help: "Open loop at several rates, as FIRST:LAST:STEP: 1000:50000:7000.")
    var sweep: String?

    @Option(
        help: """
            Searches for the highest rate at which latencies keep a bound: p99=1ms, or a list such as p99=1ms,p99.9=5ms. \
            Takes about 20 runs of half a second at most, and then about five of --duration, which show that the rate \
            holds for so long.
            """)
    var slo: String?

    @Option(parsing: .unconditional, help: "How the starts of an open loop are spread: uniform (default) or poisson.")
    var spacing: String?

    @Option(
        help: "Time that a worker spends on each operation: none (default), fixed:T, exp:T or bimodal:T,T,P; T as 1ms.")
    var serviceTime: String?

    @Option(help: "How the worker spends the service time: busy (default) or sleep.")
    var service: String?

    @Option(
        help: """
            When epoll-oneshot is armed again: early (after the accept or receive), late (after the work), or all. \
            (default: early for accept, late for crr and read)
            """)
    var rearm: String?

    @Flag(
        help: """
            Runs everything without the options of how loops wait, --defer-accept, --fast-open and --timestamps too, in the \
            same rounds; 'bench features' says what they are worth.
            """)
    var compareWithout = false

    @Option(help: "Numeric address to listen on; 127.0.0.1 if not given.")
    var address: String?

    @Option(help: "Port to listen on; if not given, or 0, the kernel chooses.")
    var port: UInt16?
}

/// Options of the workloads whose connections come and go.
struct ConnectOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept, .crr]
    static let reason: String? = "its connections are made beforehand and outlast the run"

    @Option(
        help: """
            How the workers share the port: shared (default), reuseport, reuseport-cbpf, reuseport-ebpf, \
            reuseport-incoming-cpu, a list, or all.
            """)
    var listener: String?

    @Option(help: "How the server closes: reset (default), or orderly (FIN).")
    var close: String?
}

/// Options of the workload whose connections begin with a request.
struct ExchangeOptions: WorkloadOptions {
    static let workloads: [Workload] = [.crr]
    static let reason: String? = "its connections do not begin with a request"

    @Flag(help: "Our loops are told of a connection when its request has come (TCP_DEFER_ACCEPT).")
    var deferAccept = false

    @Flag(
        help: """
            Requests go with the SYN (TCP_FASTOPEN) once a client has the server's cookie; needs sysctl \
            net.ipv4.tcp_fastopen=3.
            """)
    var fastOpen = false
}

struct MessageOptions: WorkloadOptions {
    static let workloads: [Workload] = [.crr, .read, .datagram]

    @Option(parsing: .unconditional, help: "Bytes of a message, each way; 64 if not given.")
    var messageSize: Int?

    @Flag(
        help: """
            Splits the latency where the client's kernel has the reply (SO_TIMESTAMPING): columns latency_client and \
            latency_until_arrival. Not with --tls.
            """)
    var timestamps = false
}

struct AcceptOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept]

    @Option(parsing: .unconditional, help: "Queues so many connections first, and then times how they are accepted.")
    var drain: Int?
}

struct DepthOptions: WorkloadOptions {
    static let workloads: [Workload] = [.read, .datagram]

    @Option(parsing: .unconditional, help: "Messages in flight on a connection; 1 if not given.")
    var depth: Int?
}

struct ReadOptions: WorkloadOptions {
    static let workloads: [Workload] = [.read]

    @Option(parsing: .unconditional, help: "Connections that are watched and never speak; 0 if not given.")
    var idle: Int?

    @Option(help: "Closed loop: time between an answer and the next request of its connection; 0 if not given.")
    var think: String?
}

struct WakeOptions: WorkloadOptions {
    static let workloads: [Workload] = [.wake]
    /// What options of other workloads are called here.
    static let counterparts = ["--workers": "--consumers", "--clients": "--producers"]

    @Option(
        help: """
            What wakes a thread: eventfd (default), eventfd-semaphore, pipe, futex, msg-ring or signalfd. With --shape \
            timer: timerfd (default), ring-timeout, wait-timeout (the limit of the wait itself) or wait-timeout-ms (the \
            same in whole milliseconds). A list of them, or all.
            """)
    var signal: String?

    @Option(
        help: """
            ping-pong (default): two threads wake each other in turn. pool: producers wake consumers of tasks. timer: one \
            thread waits for short times, and its latency is how late it wakes.
            """)
    var shape: String?
}

struct PoolOptions: WorkloadOptions {
    static let workloads: [Workload] = [.wake]
    static let title = "Workload wake, shape pool"

    @Option(
        help: """
            What has a descriptor of its own: each task (per-task), each consumer (per-worker), or all (default), which \
            compares the two.
            """)
    var descriptors: String?

    @Option(parsing: .unconditional, help: "Tasks to be done; 100000 if not given.")
    var tasks: Int?

    @Option(parsing: .unconditional, help: "Threads that hand out tasks; 1 if not given.")
    var producers: Int?

    @Option(parsing: .unconditional, help: "Threads that do tasks; 1 if not given.")
    var consumers: Int?

    @Flag(help: "With per-task: open all descriptors before the first is signalled.")
    var live = false
}
