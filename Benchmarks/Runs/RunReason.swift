import Glibc
import Load
import Loops
import Meters
import Records

/// Why a run is not ok, each with what can be done about it in the situation of the run.
enum RunReason: Sendable, Equatable {
    /// The user stopped it.
    case interrupted
    /// A worker ended with an error, in words that name the call.
    case worker(String)
    /// Accepts found no descriptor or no memory so often.
    case shortages(UInt64)
    /// The accept queue overflowed so often.
    case overflows(UInt64)
    /// The load hosts did not load at the same time.
    case skewed(HostTimes)
    /// So many of the operations that were attempted in the window failed.
    case failures(FailureTally, failed: UInt64, attempted: UInt64)
    /// So many operations got no answer, while others did.
    case unanswered(UInt64)
    /// No operation got an answer, of so many.
    case neverAnswered(UInt64)
    /// Open loop: the first operation was due after the window.
    case nothingDue(perSecond: Double)
    /// The fastest operation took so many nanoseconds, which is longer than the window.
    case longerThanWindow(UInt64)
    /// The clients began nothing in the window.
    case nothingStarted

    /// What happened, and what to do about it, in one line.
    func text(_ plan: RunPlan, kernel: KernelVersion? = .running) -> String {
        let remedy = remedy(plan, kernel)
        return remedy.isEmpty ? fact(plan) : "\(fact(plan)): \(remedy)"
    }

    private func fact(_ plan: RunPlan) -> String {
        let names = OperationName.of(workload: plan.workload.rawValue)
        let isDatagram = plan.workload == .datagram
        let wait = isDatagram ? DatagramCounts.patienceNanoseconds : RunWindow.graceNanoseconds
        let grace = wait < 1_000_000_000 ? "\(wait / 1_000_000) ms" : "\(wait / 1_000_000_000) s"
        let window = HumanUnits.time(nanoseconds: Double(plan.durationNanoseconds))
        switch self {
        case .interrupted: return "interrupted"
        case .worker(let description): return description
        case .shortages(let count): return "accepts had to wait for a descriptor \(count) times"
        case .overflows(let count):
            return "the accept queue overflowed \(count) times; clients slept for a second each time"
        case .skewed(let times):
            let skew = HumanUnits.time(nanoseconds: Double(times.skewNanoseconds))
            let shared = HumanUnits.time(nanoseconds: Double(times.sharedNanoseconds))
            return "the load hosts began within \(skew) and loaded together for \(shared) of \(window)"
        case .failures(let tally, let failed, let attempted):
            return "\(failed) of \(attempted) \(names.plural) failed, \(tally.text)"
        case .unanswered(let count): return "\(count) \(names.plural) got no answer within \(grace)"
        case .neverAnswered(let count):
            return "no \(names.singular) was ever answered; \(count) waited for \(grace)"
        case .nothingDue(let rate):
            let interval = HumanUnits.time(nanoseconds: 1e9 / rate)
            return
                "no operation was completed in the window of \(window), in which none was due: one is every \(interval)"
        case .longerThanWindow(let fastest):
            let time = HumanUnits.time(nanoseconds: Double(fastest))
            return "no operation was completed in the window of \(window): the fastest took \(time)"
        case .nothingStarted:
            return "no operation was completed in the window of \(window): the clients began none"
        }
    }

    private func remedy(_ plan: RunPlan, _ kernel: KernelVersion?) -> String {
        switch self {
        case .interrupted, .worker: ""
        case .shortages: "raise the limit (ulimit -n)"
        case .overflows where plan.mode == nil:
            "\(plan.name) lets too few connections wait (the backlog of its listen, or net.core.somaxconn); raise that, or "
                + "lower \(plan.networkLoad?.mostOpenOption ?? "--connections")"
        case .overflows:
            "raise net.core.somaxconn or lower \(plan.networkLoad?.mostOpenOption ?? "--connections")"
        case .skewed: "let other programs end there, or raise --duration and --warmup"
        case .failures(let tally, _, _): tally.sorted.first?.cause.remedy(plan) ?? ""
        case .unanswered, .neverAnswered: unansweredRemedy(plan, kernel)
        case .nothingDue: "raise --rate or --duration"
        case .longerThanWindow: slowRemedy(plan, kernel)
        case .nothingStarted:
            "their threads got no processor; let other programs end (bench doctor), or raise --duration"
        }
    }

    private func unansweredRemedy(_ plan: RunPlan, _ kernel: KernelVersion?) -> String {
        if plan.mode == nil && plan.workload == .accept {
            return
                "an accept waits for the server to close what it has accepted; use --workload crr or read for one that "
                + "does not"
        }
        if let limit = plan.mode?.limit(plan.workload, on: kernel) { return limit.text }
        if let remedy = plan.serviceRemedy { return remedy }
        return switch plan.networkLoad?.pace {
        case .openLoop:
            self.isTotal
                ? "the server hung; see what it waits for (strace -f)" : "the server did not keep up; lower --rate"
        case .drain(let count):
            "the server stopped before the last of --drain \(count); see what it waits for (strace -f)"
        case .closedLoop, nil: "the server hung; see what it waits for (strace -f)"
        }
    }

    private var isTotal: Bool {
        if case .neverAnswered = self { true } else { false }
    }

    private func slowRemedy(_ plan: RunPlan, _ kernel: KernelVersion?) -> String {
        let longer = "raise --duration"
        if let limit = plan.mode?.limit(plan.workload, on: kernel) { return "\(limit.text); \(longer)" }
        return plan.serviceRemedy.map { "\(longer) or \($0)" } ?? longer
    }
}

extension RunPlan {
    fileprivate var sharesSet: Bool { mode != nil && loop.topology == .sharedSet }

    fileprivate var serviceRemedy: String? {
        guard case .network(let server, _) = plan, server.service != .none else { return nil }
        return "shorten --service-time (\(server.service))"
    }
}

extension FailureTally.Cause {
    /// What can be done about it.
    func remedy(_ plan: RunPlan) -> String {
        switch problem {
        case .text where self == .wrongBytes && plan.sharesSet && plan.networkLoad?.depth != 1:
            return "workers that share a set answer messages of one connection out of order; use --depth 1 or "
                + "--topology set-per-worker"
        case .text where self == .wrongBytes:
            return "the loop of \(plan.name) echoes wrongly; do not use its figures"
        case .text(let text) where self == .surplus: return "the server sends \(text); do not use its figures"
        case .text: return "the server ended connections before it had answered"
        case .reply: return "ask the server for what it has, or see what it logs"
        case .tls("wrong version number"): return "the server does not seem to speak TLS; leave --tls out"
        case .tls(let reason) where reason.hasPrefix("certificate verify failed"):
            return
                "name the authority and the host with --tls-ca and --tls-name, or leave both out to take any certificate"
        case .tls: return "see what the server logs, and openssl s_client -connect"
        case .error(let number): return Self.remedies[number]?(plan) ?? "see bench doctor"
        }
    }

    private static let remedies: [CInt: @Sendable (RunPlan) -> String] = [
        EADDRNOTAVAIL: { plan in
            let ports = "the ports ran out; widen net.ipv4.ip_local_port_range"
            return plan.networkLoad?.close == .orderly ? "\(ports) or leave out --close orderly" : ports
        },
        ENETUNREACH: { _ in unreachable }, EHOSTUNREACH: { _ in unreachable }, ENETDOWN: { _ in unreachable },
        ECONNREFUSED: { _ in "nobody listened any more; see who else uses the port (ss -ltnp)" },
        ETIMEDOUT: { _ in "packets were lost; see the packet filter (nft list ruleset)" },
        EACCES: { _ in forbidden }, EPERM: { _ in forbidden },
        EMFILE: { _ in "raise the limit (ulimit -n)" }, ENFILE: { _ in "raise fs.file-max" },
        ENOMEM: { _ in memory }, ENOBUFS: { _ in memory },
        ECONNRESET: { _ in early }, EPIPE: { _ in early },
    ]

    private static let unreachable = "there is no way to the server; is loopback up (ip link set lo up)?"
    private static let forbidden = "a packet filter forbids it (nft list ruleset)"
    private static let memory = "memory ran out; see free -m and net.ipv4.tcp_mem"
    private static let early = "the server ended connections before it had answered"
}
