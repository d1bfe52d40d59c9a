import CBenchExtras
import Glibc
import LinuxDescriptors
import Synchronization
import SystemPackage

/// Counts by a perf event of each thread (`perf_event_open(2)`), a total alone: an event by number would take as many
/// descriptors as there are numbers, times the threads.
///
/// Needs tracefs to be mounted and `CAP_PERFMON` or root, at `kernel.perf_event_paranoid` -1 neither.
final class PerfCallCounter: CallCounting {
    private let tracepoint: UInt64
    private let excludesKernel: Bool
    private let events = Mutex<[FileDescriptor]>([])
    private let hasFailed = Atomic(false)

    private static let name = "raw_syscalls/sys_enter"

    let limit: String? = "perf counts system calls alone"

    /// - Parameters:
    ///   - folders: where to look for tracefs; nil for where it is.
    ///   - excludesKernel: what an unprivileged user may open, and what counts nothing: the trial finds 0.
    init(folders: [String]? = nil, excludesKernel: Bool = false) throws(Errno) {
        let tracefs = if let folders { try TraceFS(mountedAt: folders) } else { try TraceFS() }
        tracepoint = try tracefs.number(of: Self.name)
        self.excludesKernel = excludesKernel
    }

    /// What an error of ``init(folders:excludesKernel:)`` means, and what mends it.
    static func meaning(of error: Errno) -> String { TraceFS.meaning(of: error, name) }

    deinit {
        for event in events.withLock({ $0 }) { try? event.close() }
    }

    private func open(_ thread: Int32, inherited: Bool = false) throws(Errno) -> FileDescriptor {
        FileDescriptor(
            rawValue: try systemCall {
                c_perf_open_tracepoint(tracepoint, thread, excludesKernel ? 1 : 0, inherited ? 1 : 0)
            })
    }

    func watchThisThread() {}

    func watch(_ threads: [Int32]) {
        for thread in threads { watch(thread, inherited: false) }
    }

    func watch(processes: [Int32]) -> Bool {
        // Whoever descends from them has their events already.
        guard events.withLock({ $0.isEmpty }) else { return false }
        var file = ProcFile()
        for process in processes {
            for thread in file.numbers(in: process, "task") ?? [] { watch(thread, inherited: true) }
        }
        return false
    }

    private func watch(_ thread: Int32, inherited: Bool) {
        do throws(Errno) {
            let event = try open(thread, inherited: inherited)
            events.withLock { $0.append(event) }
        } catch {
            // One of a process can have ended meanwhile.
            if !inherited || error != .noSuchProcess { hasFailed.store(true, ordering: .relaxed) }
        }
    }

    func read() -> CallCounts? {
        guard !hasFailed.load(ordering: .relaxed) else { return nil }
        let values = events.withLock { $0.map(Self.value) }
        return values.contains(nil) ? nil : CallCounts(total: values.reduce(0) { $0 + ($1 ?? 0) })
    }

    private static func value(of event: FileDescriptor) -> UInt64? {
        var value: UInt64 = 0
        return unsafe Glibc.read(event.rawValue, &value, 8) == 8 ? value : nil
    }

    func countKnownCalls() throws(Errno) -> UInt64 {
        let event = try open(0)
        defer { try? event.close() }
        guard let before = Self.value(of: event) else { return 0 }
        for _ in 0..<knownCalls { _ = getppid() }
        guard let after = Self.value(of: event) else { return 0 }
        // The second reading is a call too.
        return after - before - (after > before ? 1 : 0)
    }
}
