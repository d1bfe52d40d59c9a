import LinuxSockets
import Meters
import Workloads

/// What the options say about all runs of an invocation, or one line about what is wrong with them.
extension Arms {
    static func placement(_ options: RunOptions, _ workers: Int) throws -> Placement {
        switch options.pin {
        case "none": return .unpinned
        case "auto": return .automatic(workers: workers, clients: options.clients)
        default:
            let processors = options.pin.split(separator: ",", omittingEmptySubsequences: false).compactMap { Int($0) }
            let available = Affinity.available()
            guard processors.count >= 2, processors.allSatisfy(available.contains),
                options.pin.split(separator: ",", omittingEmptySubsequences: false).count == processors.count
            else {
                throw Failure(
                    .usage,
                    "--pin takes auto, none, or at least two of the processors \(available), not '\(options.pin)'"
                        + didYouMean(options.pin, among: ["auto", "none"]))
            }
            let clientCount = min(options.clients, processors.count - 1)
            return Placement(
                workers: Array(processors.dropLast(clientCount)), clients: Array(processors.suffix(clientCount)))
        }
    }

    /// What all runs have in common.
    static func base(_ options: RunOptions, seed: UInt64) throws -> RunPlan {
        guard let workload = Workload(rawValue: options.workload) else {
            throw Failure.unknown("workload", options.workload, among: Workload.allCases.map(\.rawValue))
        }
        guard (1...mostCount).contains(options.clients) else { throw Failure(.usage, "--clients takes 1 or more") }
        guard rounds.contains(options.rounds) else {
            throw Failure(.usage, "--rounds takes 1 or more, \(rounds.upperBound) at the most")
        }
        guard let distribution = serviceDistribution(options.serviceTime) else {
            throw Failure(
                .usage,
                "--service-time takes none, fixed:100us, exp:100us or bimodal:10us,1ms,0.01, not "
                    + "'\(options.serviceTime)'")
        }
        guard let work = ServiceTime.Work(rawValue: options.service) else {
            throw Failure(
                .usage,
                "--service takes busy or sleep, not '\(options.service)'"
                    + didYouMean(options.service, among: ["busy", "sleep"]))
        }
        guard let close = RunPlan.CloseStyle(rawValue: options.close) else {
            throw Failure(
                .usage,
                "--close takes reset or orderly, not '\(options.close)'"
                    + didYouMean(options.close, among: ["reset", "orderly"]))
        }
        guard let address = SocketAddress(numeric: options.address, port: options.port) else {
            throw Failure(
                .usage, "--address takes a numeric address such as 127.0.0.1 or ::1, not '\(options.address)'")
        }
        guard (1...1 << 20).contains(options.messageSize) else {
            throw Failure(.usage, "--message-size takes 1 to 1048576 bytes, not \(options.messageSize)")
        }
        guard (1...4096).contains(options.depth), options.depth == 1 || workload == .read else {
            throw Failure(.usage, "--depth takes 1 to 4096 messages and belongs to --workload read")
        }
        guard (0...mostCount).contains(options.idle), options.idle == 0 || workload == .read else {
            throw Failure(.usage, "--idle takes 0 or more connections and belongs to --workload read")
        }
        guard options.listener == "shared" || workload != .read else {
            throw Failure(.usage, "--listener spreads new connections, and --workload read makes them beforehand")
        }
        guard options.drain == nil || workload == .accept else {
            throw Failure(.usage, "--drain belongs to --workload accept")
        }
        if let mistake = meaningless(options, workload) { throw Failure(.usage, mistake) }
        guard let spacing = RunPlan.Spacing(rawValue: options.spacing) else {
            throw Failure(
                .usage,
                "--spacing takes uniform or poisson, not '\(options.spacing)'"
                    + didYouMean(options.spacing, among: ["uniform", "poisson"]))
        }
        var plan = RunPlan(workload, mode: Mode.all[0])
        plan.messageBytes = options.messageSize
        plan.depth = options.depth
        plan.idle = options.idle
        plan.spacing = spacing
        plan.clients = options.clients
        plan.load = try load(options)
        plan.service = ServiceTime(distribution: distribution, work: work)
        plan.close = close
        plan.durationNanoseconds = try time(options.duration, "--duration")
        plan.warmupNanoseconds = try time(options.warmup, "--warmup", zero: true)
        plan.address = address
        plan.seed = seed
        return plan
    }

    /// The order of all rounds is drawn, and written down, before the first.
    static let rounds = 1...10_000

    /// What is wrong with an option that would change nothing; nil if there is none.
    private static func meaningless(_ options: RunOptions, _ workload: Workload) -> String? {
        if options.messageSize != 64 && workload == .accept {
            return "--message-size belongs to --workload crr and read"
        }
        if options.close != "reset" && workload == .read {
            return "--close belongs to --workload accept and crr: the connections of read outlast the run"
        }
        if options.service != "busy" && options.serviceTime == "none" {
            return "--service says how a worker spends --service-time; give that too"
        }
        if options.spacing != "uniform" && options.rate == nil {
            return "--spacing says how the starts of an open loop are spread; give --rate too"
        }
        return nil
    }

    /// A time as an option has it.
    static func time(_ text: String, _ option: String, zero: Bool = false) throws -> UInt64 {
        guard let value = nanoseconds(text), zero || value > 0 else {
            throw Failure(.usage, "\(option) takes a time such as 1s or 500ms, not '\(text)'")
        }
        return value
    }

    private static func load(_ options: RunOptions) throws -> RunPlan.Load {
        switch (options.rate, options.drain) {
        case (nil, nil): return .closedLoop
        case (let rate?, nil):
            guard rate.isFinite, rate > 0, rate <= 1e8 else {
                throw Failure(.usage, "--rate takes connections per second, more than 0, not \(rate)")
            }
            return .openLoop(perSecond: rate)
        case (nil, let count?):
            guard (options.clients...mostCount).contains(count) else {
                throw Failure(.usage, "--drain takes a number of connections, at least one for each client")
            }
            return .drain(count)
        case (.some, .some):
            throw Failure(.usage, "--rate and --drain exclude each other: an open loop, or a full queue")
        }
    }
}
