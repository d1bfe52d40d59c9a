/// One run: one row of `runs.csv`.
///
/// Every property is the camel-case form of its column's name; ``Column/all`` holds unit and meaning. `nil` and the
/// empty string mean "not measured" or "does not apply" and become an empty field.
public struct RunRecord: Sendable, Equatable {
    /// The meaning that rows written by this version have; raised when a column's meaning changes.
    public static let currentSchemaVersion = 1

    /// Version of the meaning of these columns.
    public var schemaVersion = RunRecord.currentSchemaVersion
    /// Names the run; unique within a folder and the key of `percentiles.csv`.
    public var runId: String
    /// Start of the run, ISO 8601 in UTC.
    public var startedAt: String
    /// Commit of the source that was built, `-dirty` appended if it was changed.
    public var gitCommit: String
    /// Names the machine: processor, number of CPUs, a hash of its identity.
    public var machineId: String
    /// `release` or `debug`; a debug build's numbers mean nothing.
    public var build: String
    /// What was done: `accept`, `crr`, `read` or `wake`.
    public var workload: String
    /// The way of waiting, a name of `bench list`.
    public var mode: String
    /// `shared-set` or `set-per-worker`.
    public var topology: String
    /// How the workers share the port.
    public var listener: String
    /// Server threads.
    public var workers: Int
    /// Connections that the clients keep outstanding.
    public var connections: Int
    /// Bytes of one message, each way; empty where none is sent.
    public var messageSizeBytes: Int?
    /// Messages in flight on one connection.
    public var depth: Int?
    /// Operations offered per second, over all clients; empty in a closed loop.
    public var ratePerS: Double?
    /// How long a worker is kept by one operation: `none`, `fixed:T`, `exp:T` or `bimodal:T,T,P`.
    public var serviceTime: String
    /// Which processors the threads were bound to, or `none`.
    public var pinning: String
    /// Number of the block, from 1; a block holds every arm once.
    public var round: Int
    /// Place of the run within its block, from 1.
    public var orderInRound: Int
    /// Length of the measured window.
    public var durationS: Double?
    /// Operations completed in the window.
    public var operations: UInt64 = 0
    /// Operations that ended with an error in the window.
    public var errors: UInt64 = 0
    /// `ok`, `void`, `partial`, `unsupported` or `failed`; only `ok` rows are compared.
    public var status: Status = .partial
    /// Why the status is not `ok`.
    public var reason = ""
    /// Operations divided by the length of the window.
    public var throughputOpsPerS: Double?
    /// Where a latency starts: `from-scheduled-start` (open loop) or `from-call` (closed loop).
    public var latencyKind: LatencyKind?
    /// Shortest latency.
    public var latencyMinNs: UInt64?
    /// Arithmetic mean of the latencies.
    public var latencyMeanNs: Double?
    /// Latency that half of them do not exceed.
    public var latencyP50Ns: UInt64?
    /// 90th percentile of the latencies.
    public var latencyP90Ns: UInt64?
    /// 99th percentile; like every percentile, empty unless at least ten samples lie beyond it.
    public var latencyP99Ns: UInt64?
    /// 99.9th percentile.
    public var latencyP999Ns: UInt64?
    /// Longest latency; a single sample, so it is shown and never compared.
    public var latencyMaxNs: UInt64?
    /// Returns from a worker's blocking wait with at least one event.
    public var wakeupsPerOp: Double?
    /// Wakeups in which the worker got no operation at all.
    public var spuriousWakeupsPerOp: Double?
    /// Accept or read calls that found nothing (EAGAIN), including the one that ends a drain.
    public var emptyCallsPerOp: Double?
    /// System calls that the workers made in the window.
    public var syscallsPerOp: Double?
    /// Times a worker went to sleep; shows the wakeups that the kernel takes back before the program sees them.
    public var voluntarySwitchesPerOp: Double?
    /// Times a worker was taken off its processor while it had work.
    public var involuntarySwitchesPerOp: Double?
    /// CPU time of the worker threads, user and kernel.
    public var serverCpuNsPerOp: Double?
    /// CPU time of the client threads; on loopback this holds the handshake.
    public var clientCpuNsPerOp: Double?
    /// Jain's index of the operations per worker: 1 when all got the same, 1/n when one got all.
    public var fairnessJain: Double?
    /// Operations of each worker, separated by `;`.
    public var perWorkerOps: [UInt64] = []
    /// Longest time that a waiting worker went without an operation while others had one; the window's ends
    /// count.
    public var starvationMaxNs: UInt64?
    /// Chunks of a connection that were handled after a later chunk of it.
    public var outOfOrderPerOp: Double?
    /// Most connections that the server had open at once.
    public var openPeak: UInt64?
    /// io_uring requests submitted.
    public var sqesPerOp: Double?
    /// io_uring completions reaped.
    public var cqesPerOp: Double?
    /// Multishot requests that ended and were submitted again.
    public var rearmsPerOp: Double?
    /// Open loop: operations offered that were neither served nor refused; not 0 fails the run.
    public var lost: UInt64?
    /// Growth of the kernel's ListenOverflows during the run; not 0 makes the run void.
    public var listenOverflows: UInt64?
    /// Share of the machine's CPU time that went to other programs during the run.
    public var foreignCpu: Double?
    /// Language of the server's loop: `swift` or `c`.
    public var implementation: String
    /// How connections end: `reset` (no TIME_WAIT) or `orderly`.
    public var close: String
    /// When a one-shot worker arms its descriptor again: `early` (after the accept) or `late` (after the work).
    public var rearm: String
    /// How a worker spends the service time: `busy` or `sleep`; empty without one.
    public var service: String
    /// Client threads.
    public var clients: Int?
    /// Connections that were queued before the accepting was timed; empty when none were.
    public var drain: Int?
    /// Seed of the order of the runs and of the clients' random choices.
    public var seed: UInt64?
    /// Latencies that were recorded.
    public var latencySamples: UInt64?
    /// Connections that are watched and never speak.
    public var idle: Int?
    /// How the starts of an open loop are spread: `uniform` or `poisson`; empty in a closed loop.
    public var spacing = ""
    /// Sends that the kernel took only in part.
    public var shortSends: UInt64?
    /// io_uring receives that found no free buffer.
    public var buffersExhausted: UInt64?
    /// Times the completion queue was full.
    public var completionOverflows: UInt64?
    /// The most memory that the process had resident during the run.
    public var peakMemoryBytes: UInt64?
    /// Memory that a connection costs, both ends, in user space and in the kernel.
    public var bytesPerConnection: Double?
    /// Connections for which the eBPF program found no listener of their processor.
    public var steeringFallbacks: UInt64?
    /// Memory allocations of the worker threads.
    public var allocationsPerOp: Double?
    /// Wake: what carries a wake: `eventfd`, `eventfd-semaphore`, `pipe`, `futex` or `msg-ring`.
    public var signal = ""
    /// Wake: `ping-pong` (two threads in turn) or `pool` (producers and consumers of tasks).
    public var shape = ""
    /// Wake pool: `per-task` or `per-worker` (one for each consumer).
    public var descriptors = ""
    /// Wake pool: threads that hand out tasks.
    public var producers: Int?
    /// Wake pool: threads that do tasks.
    public var consumers: Int?
    /// Wake pool: tasks of one run.
    public var tasks: Int?
    /// Wake pool: `live` if all descriptors were open at once, else empty.
    public var live = ""
    /// Wake: whether the two sides share a processor: `same-cpu`, `different-cpus` or `unpinned`.
    public var placement = ""
    /// Wake ping-pong: shortest time from one thread's signal to the other's wake.
    public var oneWayMinNs: UInt64?
    /// Wake ping-pong: median time from one thread's signal to the other's wake.
    public var oneWayP50Ns: UInt64?
    /// Wake ping-pong: 99th percentile of the time from one thread's signal to the other's wake.
    public var oneWayP99Ns: UInt64?
    /// Wake pool: tasks that nobody did; not 0 fails the run.
    public var tasksLost: UInt64?
    /// Wake pool: tasks that were done more than once; not 0 fails the run.
    public var tasksDoneTwice: UInt64?
    /// Wake pool: times that a producer had no descriptor left and waited for some to be closed.
    public var emfileWaits: UInt64?
    /// Wake pool: most descriptors of tasks open at once.
    public var descriptorsPeak: UInt64?
    /// Wake pool with `live`: kernel memory (slab) for each open descriptor and its registration.
    public var bytesPerDescriptor: Double?
    /// Wake pool: events of tasks that another consumer had taken, whose descriptors were read or closed by then; not
    /// 0 makes the mode unsafe for descriptors that are closed after a read.
    public var staleEvents: UInt64?
    /// Memory allocations of the client threads per operation; nil under a sanitizer.
    public var clientAllocationsPerOp: Double?
    /// Who counted ``syscallsPerOp``: `bpf` or `perf` (the kernel), or `loop` (the worker loops themselves).
    public var syscallsSource = ""
    /// Open loop: operations that were due in the window, by second.
    public var offeredOpsPerS: Double?
    /// Open loop: `yes` if clearly less was served than was offered, else `no`.
    public var saturated = ""
    /// Longest time within the window in which no operation was completed.
    public var stallMaxNs: UInt64?
    /// What has to be known before the row's figures are used, separated by `; `.
    public var warnings = ""

    /// A run that has an identity and no results yet.
    ///
    /// Its status is ``Status/partial`` until whoever ran it says how it ended: a forgotten status must not read as a
    /// success.
    public init(
        runId: String, startedAt: String, gitCommit: String, machineId: String, build: String, workload: String,
        mode: String, topology: String, listener: String, workers: Int, connections: Int,
        messageSizeBytes: Int? = nil, depth: Int? = nil, ratePerS: Double? = nil, serviceTime: String = "none",
        pinning: String = "none", round: Int, orderInRound: Int, implementation: String = "swift",
        close: String = "reset", rearm: String = "", service: String = "", clients: Int? = nil, drain: Int? = nil,
        seed: UInt64? = nil
    ) {
        self.runId = runId
        self.startedAt = startedAt
        self.gitCommit = gitCommit
        self.machineId = machineId
        self.build = build
        self.workload = workload
        self.mode = mode
        self.topology = topology
        self.listener = listener
        self.workers = workers
        self.connections = connections
        self.messageSizeBytes = messageSizeBytes
        self.depth = depth
        self.ratePerS = ratePerS
        self.serviceTime = serviceTime
        self.pinning = pinning
        self.round = round
        self.orderInRound = orderInRound
        self.implementation = implementation
        self.close = close
        self.rearm = rearm
        self.service = service
        self.clients = clients
        self.drain = drain
        self.seed = seed
    }
}

extension RunRecord {
    /// A record whose every field is to be read from a file.
    init() {
        self.init(
            runId: "", startedAt: "", gitCommit: "", machineId: "", build: "", workload: "", mode: "", topology: "",
            listener: "", workers: 0, connections: 0, round: 0, orderInRound: 0)
    }
}
