/// One run: one row of `runs.csv`.
///
/// Every property is the camel-case form of its column's name; ``Column/all`` holds its unit and meaning. `nil` and the
/// empty string mean "not measured" or "does not apply" and become an empty field.
package struct RunRecord: Sendable, Equatable {
    /// The meaning that rows written by this version have; raised when a column's meaning changes.
    package static let currentSchemaVersion = 1

    package var schemaVersion = RunRecord.currentSchemaVersion
    package var runId: String
    package var startedAt: String
    package var gitCommit: String
    package var machineId: String
    package var build: String
    package var workload: String
    package var mode: String
    package var topology: String
    package var listener: String
    package var workers: Int
    package var connections: Int
    package var messageSizeBytes: Int?
    package var depth: Int?
    package var ratePerS: Double?
    package var serviceTime: String
    package var pinning: String
    package var round: Int
    package var orderInRound: Int
    package var durationS: Double?
    package var operations: UInt64 = 0
    package var errors: UInt64 = 0
    package var status: Status = .partial
    package var reason = ""
    package var throughputOpsPerS: Double?
    package var latencyKind: LatencyKind?
    package var latencyMinNs: UInt64?
    package var latencyMeanNs: Double?
    package var latencyP50Ns: UInt64?
    package var latencyP90Ns: UInt64?
    package var latencyP99Ns: UInt64?
    package var latencyP999Ns: UInt64?
    package var latencyMaxNs: UInt64?
    package var wakeupsPerOp: Double?
    package var spuriousWakeupsPerOp: Double?
    package var emptyCallsPerOp: Double?
    package var syscallsPerOp: Double?
    package var voluntarySwitchesPerOp: Double?
    package var involuntarySwitchesPerOp: Double?
    package var serverCpuNsPerOp: Double?
    package var clientCpuNsPerOp: Double?
    package var fairnessJain: Double?
    package var perWorkerOps: [UInt64] = []
    package var starvationMaxNs: UInt64?
    package var outOfOrderPerOp: Double?
    package var openPeak: UInt64?
    package var sqesPerOp: Double?
    package var cqesPerOp: Double?
    package var rearmsPerOp: Double?
    package var lost: UInt64?
    package var listenOverflows: UInt64?
    package var foreignCpu: Double?
    package var implementation: String
    package var close: String
    package var rearm: String
    package var service: String
    package var clients: Int?
    package var drain: Int?
    package var seed: UInt64?
    package var latencySamples: UInt64?
    package var idle: Int?
    package var spacing = ""
    package var shortSends: UInt64?
    package var buffersExhausted: UInt64?
    package var completionOverflows: UInt64?
    package var peakMemoryBytes: UInt64?
    package var bytesPerConnection: Double?
    package var steeringFallbacks: UInt64?
    package var allocationsPerOp: Double?
    package var signal = ""
    package var shape = ""
    package var descriptors = ""
    package var producers: Int?
    package var consumers: Int?
    package var tasks: Int?
    package var live = ""
    package var placement = ""
    package var oneWayMinNs: UInt64?
    package var oneWayP50Ns: UInt64?
    package var oneWayP99Ns: UInt64?
    package var tasksLost: UInt64?
    package var tasksDoneTwice: UInt64?
    package var emfileWaits: UInt64?
    package var descriptorsPeak: UInt64?
    package var bytesPerDescriptor: Double?
    package var staleEvents: UInt64?
    package var clientAllocationsPerOp: Double?
    package var syscallsSource = ""
    package var offeredOpsPerS: Double?
    package var saturated = ""
    package var stallMaxNs: UInt64?
    package var warnings = ""

    /// A run that has an identity and no results yet.
    ///
    /// Its status is ``Status/partial`` until whoever ran it says how it ended: a forgotten status must not read as a
    /// success.
    package init(
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
    package init() {
        self.init(
            runId: "", startedAt: "", gitCommit: "", machineId: "", build: "", workload: "", mode: "", topology: "",
            listener: "", workers: 0, connections: 0, round: 0, orderInRound: 0)
    }
}
