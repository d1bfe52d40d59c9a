/// One run: one row of `runs.csv`.
///
/// Every property is the camel-case form of its column's name; ``Column/all`` holds its unit and meaning. `nil` and the
/// empty string mean "not measured" or "does not apply" and become an empty field.
package struct RunRecord: Sendable, Equatable {
    /// The meaning that rows written by this version have; raised when a column's meaning changes.
    package static let currentSchemaVersion = 1

    package var schemaVersion = RunRecord.currentSchemaVersion
    package var runId = ""
    package var startedAt = ""
    package var gitCommit = ""
    package var machineId = ""
    package var build = ""
    package var workload = ""
    package var mode = ""
    package var topology = ""
    package var listener = ""
    package var workers = 0
    package var connections = 0
    package var messageSizeBytes: Int?
    package var depth: Int?
    package var ratePerS: Double?
    package var serviceTime = "none"
    package var pinning = "none"
    package var round = 0
    package var orderInRound = 0
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
    package var implementation = "swift"
    package var close = "reset"
    package var rearm = ""
    package var service = ""
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
    package var `protocol` = ""
    package var request = ""
    package var thinkTimeNs: UInt64?
    package var connectRatePerS: Double?
    package var sendLagP99Ns: UInt64?
    package var sendLagMaxNs: UInt64?
    package var connectionsOpen: UInt64?
    package var reconnections: UInt64?
    package var clientBusy: Double?
    package var machineCpuNsPerOp: Double?
    package var runDelayNsPerOp: Double?
    package var serverMemoryBytes: UInt64?
    package var serverThreads: UInt64?
    package var serverDescriptors: UInt64?
    package var serverProcesses: UInt64?
    package var tls = ""
    package var tlsNegotiated = ""
    package var serverCpuFairness: Double?
    package var serverOpsFairness: Double?
    package var serverWakeupsPerOp: Double?
    package var slo = ""
    package var capacityOpsPerS: Double?
    package var options = ""
    package var notificationsPerOp: Double?
    package var copiedNotificationsPerOp: Double?
    package var pollerCpuNsPerOp: Double?
    package var bytesPerReceive: Double?
    package var messagesPerReceive: Double?
    package var datagramsLost: UInt64?
    package var datagramsReordered: UInt64?
    package var datagramsPerReceive: Double?
    package var serverMachineId = ""
    package var clientMachineIds = ""
    package var serverAddress = ""
    package var link = ""
    package var loadHosts: Int?
    package var loadSkewNs: UInt64?
    package var clockErrorNs: UInt64?
    package var retransmissionsPerOp: Double?
    package var networkDrops: UInt64?
    package var latencyClientP50Ns: UInt64?
    package var latencyClientP99Ns: UInt64?
    package var latencyUntilArrivalP50Ns: UInt64?
    package var latencyUntilArrivalP99Ns: UInt64?
    package var probeRatePerS: Double?

    /// A run without results. Its status is ``Status/partial`` until the code that ran it sets another: a forgotten
    /// status must not read as a success.
    package init() {}
}
