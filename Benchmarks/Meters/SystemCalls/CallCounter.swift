import SystemPackage

/// Counts in the kernel which system calls chosen threads make, or all threads of chosen processes.
///
/// It costs every call of the machine some tens of nanoseconds while it exists, those of the chosen threads about 80, so
/// it has no place in a run whose times are measured.
package final class CallCounter: Sendable {
    /// Who counts.
    package enum Source: String, Sendable, CaseIterable, Codable {
        /// A BPF program at the tracepoint `raw_syscalls:sys_enter`: by number, without a system call to read.
        case bpf
        /// A perf event of each thread at the same tracepoint: a total.
        case perf
    }

    /// Who counts.
    package let source: Source
    private let backend: any CallCounting

    /// Attaches to the kernel the first of `sources` that counts right: a number of known calls is made and must be
    /// found.
    ///
    /// - Parameters:
    ///   - threads: how many may be watched.
    ///   - sources: those to try, in this order.
    /// - Throws: why each was refused.
    package convenience init(threads: Int, sources: [Source] = Source.allCases) throws(CallCounterRefusal) {
        try self.init(sources) { (source) throws(Errno) in
            switch source {
            case .bpf: try BPFCallCounter(threads: threads)
            case .perf: try PerfCallCounter()
            }
        }
    }

    /// Attaches a counter for processes in the same way. A call of theirs counts when it begins.
    ///
    /// - Parameter processes: how many may be watched.
    package convenience init(
        processes: Int, sources: [Source] = Source.allCases
    ) throws(CallCounterRefusal) {
        try self.init(sources) { (source) throws(Errno) in
            switch source {
            case .bpf: try Self.followingThreads(or: processes)
            case .perf: try PerfCallCounter()
            }
        }
    }

    private static func followingThreads(or processes: Int) throws(Errno) -> any CallCounting {
        do throws(BPFTreeRefusal) {
            return try BPFTreeCounter()
        } catch {
            return try BPFCallCounter(processes: processes, limit: error.reason)
        }
    }

    init(
        _ sources: [Source], open: (Source) throws(Errno) -> any CallCounting
    ) throws(CallCounterRefusal) {
        var refusal = CallCounterRefusal()
        for source in sources {
            do throws(Errno) {
                let backend = try open(source)
                let counted = try backend.countKnownCalls()
                if counted == knownCalls {
                    self.source = source
                    self.backend = backend
                    return
                }
                refusal.reasons.append("\(source.rawValue) counted \(counted) of \(knownCalls) known calls")
            } catch {
                let meaning = source == .perf ? PerfCallCounter.meaning(of: error) : "\(error)"
                refusal.reasons.append("\(source.rawValue): \(meaning)")
                refusal.isPrivilege = refusal.isPrivilege || [.notPermitted, .permissionDenied].contains(error)
            }
        }
        throw refusal
    }

    /// Counts from here on what the calling thread does, if the source is BPF. A perf event is not the thread's to open:
    /// the descriptor would be in its table, which may be another than that of the thread that reads.
    package func watchThisThread() { backend.watchThisThread() }

    /// Counts from here on what these threads do, if the source is perf.
    package func watch(_ threads: [ThreadHandle]) { backend.watch(threads.map(\.thread)) }

    /// Counts from here on what all threads of these processes do, those that are still to be started included, and what
    /// they start if ``followsForks``.
    ///
    /// - Returns: whether something was not watched before, so that there may be more.
    package func watch(processes: [Int32]) -> Bool { backend.watch(processes: processes) }

    /// Whether processes that are started count without being named.
    package var followsForks: Bool { source == .perf || backend.limit == nil }

    /// Why wakeups and the work of each thread are not counted, in a clause; nil if they are.
    package var limit: String? { backend.limit }

    /// What else was counted so far; nil where ``limit`` says why not, and of threads that were not watched by process.
    package func activity() -> ServerActivity? { backend.activity() }

    /// What was counted so far; nil if a thread could not be watched.
    package func read() -> CallCounts? { backend.read() }
}

/// Why the kernel does not count.
package struct CallCounterRefusal: Error, CustomStringConvertible {
    /// By source.
    package internal(set) var reasons: [String] = []
    /// True if a source was refused for want of privilege.
    package internal(set) var isPrivilege = false

    /// One line.
    package var description: String { reasons.joined(separator: "; ") }
}

/// One way of counting.
protocol CallCounting: Sendable {
    func watchThisThread()
    func watch(_ threads: [Int32])
    func watch(processes: [Int32]) -> Bool
    func read() -> CallCounts?
    var limit: String? { get }
    func activity() -> ServerActivity?
    /// Makes ``knownCalls`` calls and returns how many of them were counted.
    func countKnownCalls() throws(Errno) -> UInt64
}

extension CallCounting {
    func activity() -> ServerActivity? { nil }
}

/// Calls that a source is tried with.
let knownCalls: UInt64 = 64

/// What is to be known of a counter beside what it counts.
package struct CallCounterFacts: Sendable, Codable, Equatable {
    /// Who counts.
    package var source: CallCounter.Source
    /// See ``CallCounter/followsForks``.
    package var followsForks: Bool
    /// See ``CallCounter/limit``.
    package var limit: String?

    /// Of a counter.
    package init(_ counter: CallCounter) {
        source = counter.source
        followsForks = counter.followsForks
        limit = counter.limit
    }
}
